// Command crash dies in the way it is told to. The tests deploy it wherever
// they need a real container with a real end.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/acme/crash/internal/traffic"
	"github.com/acme/internal/instance"
)

// options are what the modes may be told. Not every mode reads all of them.
type options struct {
	mode       string
	delay      time.Duration
	lines      int
	goroutines int
	traceback  string
	which      string
	code       int
	signal     string
	message    string
	state      string
	listen     string
	mib        int
}

func main() {
	opts, run, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "crash: %v\n", err)
		os.Exit(64) // not 1 or 2, which the modes use themselves
	}
	instance.Announce(os.Stdout, "crash")
	if opts.traceback != "" {
		debug.SetTraceback(opts.traceback)
	}
	traffic.Write(os.Stdout, opts.lines)
	run(opts)
}

func parse(args []string) (options, func(options), error) {
	var opts options
	flags := flag.NewFlagSet("crash", flag.ContinueOnError)
	flags.StringVar(&opts.mode, "mode", "run", "how to end, see below")
	flags.DurationVar(&opts.delay, "delay", time.Second, "time until it happens")
	flags.IntVar(&opts.lines, "lines", 5, "ordinary log lines before that")
	flags.IntVar(&opts.goroutines, "goroutines", 0, "parked goroutines beside those at work")
	flags.StringVar(&opts.traceback, "traceback", "", "as GOTRACEBACK: single, all, system, crash")
	flags.StringVar(&opts.which, "which", "a", "which of two bugs: a or b")
	flags.IntVar(&opts.code, "code", 1, "exit code")
	flags.StringVar(&opts.signal, "signal", "ABRT", "signal to send to itself")
	flags.StringVar(&opts.message, "message", "giving up", "last words")
	flags.StringVar(&opts.state, "state", "/state/crashed", "file that says it has crashed before")
	flags.StringVar(&opts.listen, "listen", ":8080", "address of the HTTP server, where there is one")
	flags.IntVar(&opts.mib, "mib", 30, "MiB of log")
	flags.Usage = func() { usage(flags) }
	if err := flags.Parse(args); err != nil {
		return opts, nil, err
	}
	for _, m := range modes {
		if m.name == opts.mode {
			return opts, m.run, nil
		}
	}
	return opts, nil, fmt.Errorf("no mode %q: --help lists them", opts.mode)
}

func usage(flags *flag.FlagSet) {
	out := flags.Output()
	fmt.Fprint(out, "usage: crash --mode MODE [flags]\n\nflags:\n")
	flags.PrintDefaults()
	fmt.Fprint(out, "\nmodes:\n")
	for _, m := range modes {
		fmt.Fprintf(out, "  %-17s %s\n", m.name, m.help)
	}
}
