// Command load is the shop's customers: it sends ordinary traffic to one
// address for a while and prints once a second how that went.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type options struct {
	url     string
	workers int
	pause   time.Duration
	ramp    time.Duration
	doors   time.Duration
	span    time.Duration
}

func main() {
	log.SetFlags(0)
	opts, err := parse(os.Args[1:])
	if err != nil {
		log.Printf("load: %v", err)
		os.Exit(2)
	}
	signalled, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	limited, cancel := context.WithTimeout(signalled, opts.span)
	defer cancel()

	if err := awaitShop(limited, opts); err != nil {
		log.Printf("load: %v", err)
		os.Exit(1)
	}
	fmt.Printf("load: %d customers shop at %s for %s\n", opts.workers, opts.url, opts.span)
	counts := newTally()
	done := make(chan struct{})
	go func() { defer close(done); drive(limited, opts, counts) }()
	report(done, counts)
}

func parse(args []string) (options, error) {
	var opts options
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.StringVar(&opts.url, "url", "http://shop", "the shop's base address")
	flags.IntVar(&opts.workers, "workers", 24, "customers at the same time")
	flags.DurationVar(&opts.pause, "pause", 25*time.Millisecond, "mean pause of a customer between two requests")
	flags.DurationVar(&opts.ramp, "ramp", 8*time.Second, "time until all customers have arrived")
	flags.DurationVar(&opts.doors, "wait", 30*time.Second, "how long the shop may take to answer at all")
	flags.DurationVar(&opts.span, "for", 90*time.Second, "time after which the load ends by itself")
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	if base, err := url.Parse(opts.url); err != nil || base.Host == "" {
		return opts, fmt.Errorf("--url %q is no address: want one like http://shop.shop.svc.cluster.local", opts.url)
	}
	if opts.workers < 1 || opts.span <= 0 || opts.pause < 0 || opts.ramp < 0 {
		return opts, fmt.Errorf("--workers and --for must be above zero, --pause and --ramp not below it")
	}
	return opts, nil
}

// report prints a line a second until done, then the total.
func report(done <-chan struct{}, counts *tally) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			fmt.Printf("%s  %s\n", now.Format("15:04:05"), counts.take())
		case <-done:
			counts.take()
			fmt.Printf("load: done, %s in all\n", counts.total())
			return
		}
	}
}
