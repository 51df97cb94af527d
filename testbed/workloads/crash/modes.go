package main

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/acme/crash/internal/memory"
	"github.com/acme/crash/internal/orders"
	"github.com/acme/crash/internal/process"
	"github.com/acme/crash/internal/queue"
	"github.com/acme/crash/internal/sessions"
	"github.com/acme/crash/internal/traffic"
)

type mode struct {
	name string
	help string
	run  func(options)
}

// after runs the end of the program when its delay is over.
func after(end func(options)) func(options) {
	return func(opts options) {
		queue.Park(opts.goroutines)
		time.Sleep(opts.delay)
		end(opts)
	}
}

var modes = []mode{
	{"panic", "panic with an error, exit 2; --which a|b for two bugs", after(panicWithError)},
	{"panic-string", "panic with --message", after(func(o options) { orders.Refuse(o.message) })},
	{"panic-struct", "panic with a struct that is no error", after(func(options) { orders.RefuseWithDetails(4711) })},
	{"panic-goroutine", "panic outside of the main goroutine", after(func(options) { orders.CheckoutInBackground() })},
	{"repanic", "a deferred function recovers a panic and panics again", after(func(options) { orders.CheckoutGuarded() })},
	{"nil", "nil pointer dereference", after(func(options) { orders.PrintTotal(nil) })},
	{"nilmap", "assignment to an entry in a nil map", after(func(options) { orders.CountStock("sku-1001") })},
	{"index", "index out of range", after(func(options) { orders.LastItem([]string{}) })},
	{"slice", "slice bounds out of range", after(func(options) { orders.FirstItems([]string{"one"}, 3) })},
	{"divide", "integer divide by zero", after(func(options) { orders.Average(100, 0) })},
	{"cast", "interface conversion", after(func(options) { orders.Customer("just a string") })},
	{"map-write", "fatal error: concurrent map writes", after(func(options) { sessions.New().TouchFromEverywhere() })},
	{"map-read-write", "fatal error: concurrent map read and map write", after(func(options) { sessions.New().LookUpWhileTouched() })},
	{"map-iterate", "fatal error: concurrent map iteration and map write", after(func(options) { sessions.New().ListWhileTouched() })},
	{"deadlock", "fatal error: all goroutines are asleep", after(func(options) { queue.AwaitNobody() })},
	{"closed-channel", "send on a closed channel", after(func(options) { queue.SendAfterClose() })},
	{"close-twice", "close of a closed channel", after(func(options) { queue.CloseTwice() })},
	{"unlock", "fatal error: sync: unlock of unlocked mutex", after(func(options) { queue.ReleaseTwice() })},
	{"waitgroup", "negative WaitGroup counter", after(func(options) { queue.FinishTwice() })},
	{"stack-overflow", "endless recursion", after(func(options) { orders.Resolve("root", 0) })},
	{"oom", "allocate until the kernel kills it", after(func(options) { memory.Hoard(os.Stdout) })},
	{"open-files", "run out of file descriptors, log.Fatal", after(func(options) { process.ExhaustFiles() })},
	{"fill-disk", "write --mib to the file --state, then run", after(fillDisk)},
	{"once", "panic the first time, then run; --state is the file that remembers", once},
	{"biglog", "write --mib of log, then panic", after(bigLog)},
	{"secrets", "log credentials, then panic", after(secrets)},
	{"exit", "exit with --code, silently", after(func(o options) { os.Exit(o.code) })},
	{"exit0", "say that all is done and exit 0", after(func(options) { log.Print("nothing left to do") })},
	{"log-fatal", "log.Fatal with --message, exit 1", after(func(o options) { log.Fatal(o.message) })},
	{"os-exit", "log --message and exit with --code", after(lastWords)},
	{"missing-env", "a required variable is not set, exit 1", after(func(options) { process.RequireEnv("SHOP_API_KEY") })},
	{"missing-file", "a configuration file is not there, exit 1", after(func(options) { process.ReadConfig("/etc/shop/shop.yaml") })},
	{"bad-flag", "what Go's flag package says to an unknown flag, exit 2", after(func(options) { process.ParseUnknownFlag() })},
	{"port-in-use", "listen on a port that is taken, exit 1", after(func(o options) { process.ListenTwice(o.listen) })},
	{"refused", "a database that refuses connections, exit 1", after(func(options) { process.Dial("127.0.0.1:5432") })},
	{"no-host", "a host name that does not exist, exit 1", after(func(options) { process.Dial("db.shop.invalid:5432") })},
	{"kill", "send --signal to itself; 99 if it lives on", after(func(o options) { process.KillSelf(o.signal) })},
	{"run", "an HTTP server without any signal handling: Go exits 2 on SIGTERM", func(o options) { process.Serve(o.listen, process.Healthy) }},
	{"graceful", "an HTTP server that exits 0 on SIGTERM", func(o options) { process.ServeUntilTerm(o.listen, func() { os.Exit(0) }) }},
	{"term-fatal", "an HTTP server that ends with log.Fatal(\"server closed\") on SIGTERM", func(o options) { process.ServeUntilTerm(o.listen, func() { log.Fatal("server closed") }) }},
	{"ignore-term", "an HTTP server that ignores SIGTERM and turns unhealthy after --delay", func(o options) { process.IgnoreTerm(); process.Serve(o.listen, process.HealthyUntil(o.delay)) }},
	{"unhealthy", "an HTTP server whose /healthz fails after --delay", func(o options) { process.Serve(o.listen, process.HealthyUntil(o.delay)) }},
	{"unhealthy-clean", "the same, exits 0 on SIGTERM", func(o options) {
		go process.Serve(o.listen, process.HealthyUntil(o.delay))
		process.AwaitTerm()
	}},
	{"slow-start", "an HTTP server whose /healthz fails until --delay is over", func(o options) { process.Serve(o.listen, process.HealthyFrom(o.delay)) }},
	{"recovered", "an HTTP server that panics in a handler, which net/http survives, and runs on", func(o options) { process.ServeWithPanics(o.listen) }},
}

func panicWithError(opts options) {
	if opts.which == "b" {
		orders.Ship("order-4711")
	}
	orders.Checkout("order-4711")
}

// once crashes when the state file is missing, which an emptyDir keeps from
// one instance of the container to the next.
func once(opts options) {
	if _, err := os.Stat(opts.state); err == nil {
		log.Print("crashed before, running from now on")
		process.Serve(opts.listen, process.Healthy)
	}
	if err := os.WriteFile(opts.state, nil, 0o600); err != nil {
		log.Fatal(err)
	}
	time.Sleep(opts.delay)
	orders.Checkout("order-4711")
}

func fillDisk(opts options) {
	if err := process.FillDisk(opts.state, opts.mib); err != nil {
		log.Fatal(err)
	}
	log.Printf("%d MiB cached in %s", opts.mib, opts.state)
	process.Serve(opts.listen, process.Healthy)
}

func bigLog(opts options) {
	if err := traffic.Fill(os.Stdout, opts.mib<<20); err != nil {
		log.Fatal(err)
	}
	orders.Checkout("order-4711")
}

func secrets(opts options) {
	traffic.Leak(os.Stdout)
	orders.Checkout("order-4711")
}

func lastWords(opts options) {
	fmt.Fprintln(os.Stderr, opts.message)
	os.Exit(opts.code)
}
