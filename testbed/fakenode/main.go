// Command fakenode is a kubelet for nodes that do not exist: it makes Node objects, plays their pods from scripts, and
// answers the API server's reads of logs. The API server, and all that watches it, are the real ones.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage:
  fakenode [serve] --nodes N ...    keep N fake nodes and play their pods; --help for all flags
  fakenode pods --count N ...       make pods for them in bulk; --help for all flags
  fakenode templates                list the log templates
  fakenode proxy --way LISTEN,CONTROL ...  pass requests on to the API server, spoiling some; --help for all flags
`

func main() {
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fakenode:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	command := "serve"
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		command, args = args[0], args[1:]
	}
	switch command {
	case "serve":
		return serve(ctx, args)
	case "pods":
		return pods(ctx, args)
	case "templates":
		return templates()
	case "proxy":
		return proxies(ctx, args)
	}
	fmt.Fprint(os.Stderr, usage)
	return fmt.Errorf("no command %q", command)
}
