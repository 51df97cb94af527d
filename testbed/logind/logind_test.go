package main

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestAShutdownWaitsForEveryLock(t *testing.T) {
	l := &logind{}
	// What a client gets is a duplicate of what the bus sends.
	var clients []int
	for range 2 {
		fd, failed := l.Inhibit("shutdown", "test", "to end pods", "delay")
		if failed != nil {
			t.Fatal(failed)
		}
		client, err := syscall.Dup(int(fd))
		if err != nil {
			t.Fatal(err)
		}
		clients = append(clients, client)
	}
	over := make(chan struct{})
	go func() { l.shutdown(); close(over) }()
	syscall.Close(clients[0])
	select {
	case <-over:
		t.Fatal("shut down although a lock is held")
	default:
	}
	syscall.Close(clients[1])
	<-over
}

func TestTheDelayIsToldAndNothingElse(t *testing.T) {
	l := &logind{}
	delay, failed := l.Get(manager, "InhibitDelayMaxUSec")
	if failed != nil || delay.Value() != maxDelayMicroseconds {
		t.Fatal(delay, failed)
	}
	if _, failed := l.Get(manager, "Docked"); failed == nil {
		t.Fatal("a property that it does not have")
	}
}

func TestABusThatIsNotThereIsNamed(t *testing.T) {
	bus := "unix:path=" + t.TempDir() + "/none"
	err := run(bus)
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), bus) {
		t.Fatal(err)
	}
}
