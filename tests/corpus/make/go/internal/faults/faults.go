// Package faults raises panics with all kinds of values.
package faults

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"time"
)

type Fault struct {
	Code int
	Text string
}

type Code int

type Word string

type Custom struct{ id int }

func (c *Custom) Error() string { return fmt.Sprintf("parcel %d is lost", c.id) }

type Named struct{ name string }

func NewNamed(name string) Named { return Named{name} }

func (n Named) String() string { return "depot " + n.name }

//go:noinline
func Raise(value interface{}) {
	panic(value) // culprit: raise
}

//go:noinline
func Nested() {
	defer func() {
		var m map[string]int
		m["again"] = 1 // culprit: nested
	}()
	panic("first trouble")
}

//go:noinline
func Repanic() {
	defer func() {
		if r := recover(); r != nil {
			panic(r)
		}
	}()
	var list []int
	_ = list[len(os.Args)+5] // culprit: repanic
}

//go:noinline
func Wrapped() {
	defer func() {
		if r := recover(); r != nil {
			panic(fmt.Errorf("job failed: %v", r))
		}
	}()
	var list []int
	_ = list[len(os.Args)+5] // culprit: wrapped
}

//go:noinline
func Dial(address string) error {
	_, err := net.DialTimeout("tcp", address, 300*time.Millisecond)
	return fmt.Errorf("open parcel store: %w", err)
}

func Open(path string) error {
	_, err := os.Open(path)
	return fmt.Errorf("load rates: %w", err)
}

func TLS() error {
	server := httptest.NewUnstartedServer(nil)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	_, err := tls.Dial("tcp", server.Listener.Addr().String(), &tls.Config{ServerName: "example.com"})
	return fmt.Errorf("fetch rates: %w", err)
}

func Timeout() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return err
	}
	conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, err = conn.Read(make([]byte, 1))
	return fmt.Errorf("fetch rates: %w", err)
}

func Twice() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, err = net.Listen("tcp", listener.Addr().String())
	return fmt.Errorf("start metrics: %w", err)
}

func Env() error {
	return errors.New("required environment variable DEPOT_DSN is not set")
}

//go:noinline
func Must(err error) {
	if err != nil {
		panic(err) // culprit: must
	}
}
