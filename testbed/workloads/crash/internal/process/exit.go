// Package process ends the program from the outside: exits, signals, and
// what a service says when its surroundings are wrong.
package process

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// RequireEnv ends the program if a variable is not set.
func RequireEnv(name string) {
	if os.Getenv(name) == "" {
		log.Fatalf("required environment variable %s is not set", name)
	}
}

// ReadConfig ends the program if the file cannot be read.
func ReadConfig(path string) {
	if _, err := os.ReadFile(path); err != nil {
		log.Fatalf("read configuration: %v", err)
	}
}

// ParseUnknownFlag ends the program as package flag does by itself.
func ParseUnknownFlag() {
	flags := flag.NewFlagSet("shop", flag.ExitOnError)
	flags.Int("port", 8080, "port to listen on")
	_ = flags.Parse([]string{"--portt=8080"}) // ExitOnError: it does not return
}

// ListenTwice ends the program because its own port is taken.
func ListenTwice(address string) {
	if _, err := net.Listen("tcp", address); err != nil {
		log.Fatal(err)
	}
	_, err := net.Listen("tcp", address)
	log.Fatal(err)
}

// Dial ends the program if it cannot connect.
func Dial(address string) {
	const limit = 5 * time.Second
	connection, err := net.DialTimeout("tcp", address, limit)
	if err != nil {
		log.Fatalf("database: %v", err)
	}
	connection.Close()
	log.Fatalf("database: %s answered, which this mode does not expect", address)
}

// ExhaustFiles opens files until the system refuses.
func ExhaustFiles() {
	const few = 64
	limit := syscall.Rlimit{Cur: few, Max: few}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		log.Fatalf("lower the limit of open files: %v", err)
	}
	var open []*os.File
	for {
		file, err := os.Open(os.DevNull)
		if err != nil {
			log.Fatalf("accept: %v (%d files open)", err, len(open))
		}
		open = append(open, file)
	}
}

// FillDisk writes that many MiB to a new file.
func FillDisk(path string, mib int) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("fill the disk: %w", err)
	}
	defer file.Close()
	block := make([]byte, 1<<20)
	for range mib {
		if _, err := file.Write(block); err != nil {
			return fmt.Errorf("fill the disk: %w", err)
		}
	}
	return nil
}

var signals = map[string]syscall.Signal{
	"ABRT": syscall.SIGABRT, "BUS": syscall.SIGBUS, "FPE": syscall.SIGFPE, "HUP": syscall.SIGHUP,
	"ILL": syscall.SIGILL, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL, "QUIT": syscall.SIGQUIT,
	"SEGV": syscall.SIGSEGV, "TERM": syscall.SIGTERM, "TRAP": syscall.SIGTRAP, "USR1": syscall.SIGUSR1,
}

// survived is the exit code after a signal that did nothing: the kernel does
// not deliver SIGKILL to the first process of a pid namespace from inside.
const survived = 99

// KillSelf sends a signal, given with or without SIG, to this process.
func KillSelf(name string) {
	signal, known := signals[strings.TrimPrefix(strings.ToUpper(name), "SIG")]
	if !known {
		log.Fatalf("no signal %q", name)
	}
	if err := syscall.Kill(os.Getpid(), signal); err != nil {
		log.Fatalf("send %s: %v", name, err)
	}
	const delivery = 2 * time.Second
	time.Sleep(delivery)
	fmt.Fprintf(os.Stderr, "%s did nothing\n", name)
	os.Exit(survived)
}
