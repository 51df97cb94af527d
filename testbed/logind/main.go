// Command logind stands in for systemd-logind on a message bus of the testbed's own, as far as a kubelet uses it: the kubelet takes
// a lock that delays the machine's shutdown, is told that the machine shuts down, ends its pods, and lets the lock go.
//
// It says "ready" when it has its name on the bus. A SIGUSR1 tells of a shutdown, and the program ends when nobody delays
// it any more. Nothing is shut down.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/godbus/dbus/v5"
)

const (
	service = "org.freedesktop.login1"
	object  = dbus.ObjectPath("/org/freedesktop/login1")
	manager = service + ".Manager"
)

// maxDelay is above what the kubelet wants, so that it does not try to configure the real logind.
const maxDelayMicroseconds = uint64(600_000_000)

// logind holds the locks: pipes whose write ends were handed out and whose read ends tell when nobody has them any more, so that
// a lock ends with its owner too.
type logind struct {
	mutex sync.Mutex
	ours  []int // our copies of what was handed out; only once it was sent may they be closed, and the bus does not say when
	held  sync.WaitGroup
}

// Inhibit hands out a lock: a file descriptor that the owner closes.
func (l *logind) Inhibit(what, who, why, mode string) (dbus.UnixFD, *dbus.Error) {
	log.Printf("lock: what=%q who=%q why=%q mode=%q", what, who, why, mode)
	ends := make([]int, 2)
	if err := syscall.Pipe2(ends, syscall.O_CLOEXEC); err != nil {
		return 0, dbus.MakeFailedError(err)
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.ours = append(l.ours, ends[1])
	l.held.Add(1)
	go l.watch(who, os.NewFile(uintptr(ends[0]), "lock"))
	return dbus.UnixFD(ends[1]), nil
}

// watch returns when nobody holds the lock any more.
func (l *logind) watch(who string, lock *os.File) {
	defer l.held.Done()
	defer lock.Close()
	if _, err := io.Copy(io.Discard, lock); err != nil {
		log.Printf("lock of %q: %v", who, err)
	}
	log.Printf("lock of %q let go", who)
}

// shutdown waits until nobody delays it.
func (l *logind) shutdown() {
	l.mutex.Lock()
	for _, fd := range l.ours {
		syscall.Close(fd)
	}
	l.ours = nil
	l.mutex.Unlock()
	l.held.Wait()
}

// Get answers for the one property that the kubelet reads.
func (l *logind) Get(iface, name string) (dbus.Variant, *dbus.Error) {
	if iface == manager && name == "InhibitDelayMaxUSec" {
		return dbus.MakeVariant(maxDelayMicroseconds), nil
	}
	return dbus.Variant{}, dbus.MakeFailedError(fmt.Errorf("no property %s.%s here", iface, name))
}

func main() {
	bus := flag.String("bus", "", "address of the message bus, unix:path=...")
	flag.Parse()
	if err := run(*bus); err != nil {
		log.Fatal("logind: ", err)
	}
}

func run(bus string) error {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGUSR1)
	l := &logind{}
	connection, err := dbus.Connect(bus)
	if err != nil {
		return fmt.Errorf("bus %q: %w", bus, err)
	}
	defer connection.Close()
	if err := errors.Join(connection.Export(l, object, manager), connection.Export(l, object, "org.freedesktop.DBus.Properties")); err != nil {
		return err
	}
	reply, err := connection.RequestName(service, dbus.NameFlagDoNotQueue)
	if err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		return fmt.Errorf("name %s on %q: %v, %w", service, bus, reply, err)
	}
	fmt.Println("ready")
	<-told
	if err := connection.Emit(object, manager+".PrepareForShutdown", true); err != nil {
		return err
	}
	l.shutdown()
	return nil
}
