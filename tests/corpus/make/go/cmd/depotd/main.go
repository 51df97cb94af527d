// depotd serves parcels until it is told how to crash: `depotd CRASH [in-goroutine]`.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"example.com/acme/depotd/internal/faults"
	"example.com/acme/depotd/internal/stock"
)

func traffic(n int) {
	for i := 0; i < n; i++ {
		log.Printf("GET /parcels/%d 200 %dms req=%08x", 1000+i*7, 3+i%40, i*2654435761%4294967291)
	}
}

func main() {
	log.SetOutput(os.Stderr)
	crash := "nil-deref"
	if len(os.Args) > 1 {
		crash = os.Args[1]
	}
	log.Printf("depotd 3.4.1 starting")
	traffic(30)
	run, ok := crashes[crash]
	if !ok {
		log.Fatalf("unknown crash %q", crash)
	}
	if len(os.Args) > 2 && os.Args[2] == "in-goroutine" {
		go run()
		select {}
	}
	run()
	traffic(5)
}

// together runs functions in parallel until one of them ends the process.
func together(functions ...func()) {
	var wg sync.WaitGroup
	for i := 0; i < 4; i++ {
		for _, f := range functions {
			f := f
			wg.Add(1)
			go func() {
				defer wg.Done()
				for {
					f()
				}
			}()
		}
	}
	wg.Wait()
}

var crashes = map[string]func(){
	"map-writes": func() { s := stock.NewShelf(); together(func() { s.Put("A-1") }) },
	"map-read-write": func() {
		s := stock.NewShelf()
		together(func() { s.Get("A-1") }, func() { s.Put("A-1") })
	},
	"map-iterate": func() {
		s := stock.NewShelf()
		go func() {
			for i := 0; ; i++ {
				s.Put(fmt.Sprint(i % 50))
			}
		}()
		for {
			s.Sum()
		}
	},
	"map-writes-crowd": func() {
		// CROWD=10000 makes a dump of 30 MiB, the fatal line at its head.
		crowd, err := strconv.Atoi(os.Getenv("CROWD"))
		if err != nil {
			crowd = 60
		}
		for i := 0; i < crowd; i++ {
			go idle(i % 66)
		}
		time.Sleep(time.Second)
		s := stock.NewShelf()
		together(func() { s.Put("A-1") })
	},
	"race": func() {
		s := stock.NewShelf()
		done := make(chan bool)
		go func() { s.Put("A-1"); done <- true }()
		s.Get("A-1")
		<-done
	},
	"deadlock":       func() { q := stock.NewQueue(); q.Push(1); q.Push(2) },
	"deadlock-wait":  func() { stock.NewQueue().Wait() },
	"deadlock-lock":  func() { stock.NewQueue().Relock() },
	"goexit":         func() { runtime.Goexit() },
	"send-closed":    func() { q := stock.NewQueue(); q.Close(); q.Push(1) },
	"close-closed":   func() { q := stock.NewQueue(); q.Close(); q.Close() },
	"close-nil":      func() { (&stock.Queue{}).Close() },
	"unlock":         func() { stock.NewQueue().Unlock() },
	"runlock":        func() { stock.NewShelf().RUnlock() },
	"negative-wg":    func() { stock.NewQueue().Done() },
	"nil-deref":      func() { stock.NewShelf().OwnerName() },
	"nil-map":        func() { stock.NewShelf().Mark(nil) },
	"index":          func() { stock.NewShelf().At(len(os.Args)) },
	"slice":          func() { stock.NewShelf().Slice(3, 1+len(os.Args)) },
	"slice-to-array": func() { stock.Pair([]int{1}) },
	"makeslice":      func() { stock.Reserve(-len(os.Args)) },
	"divide":         func() { stock.Average(7, 0) },
	"shift":          func() { stock.Shift(-1) },
	"conversion":     func() { stock.Weight("heavy") },
	"conversion-nil": func() { stock.Weight(nil) },
	"unhashable":     func() { stock.Seen(map[interface{}]bool{1: true}, []int{1}) },
	"uncomparable":   func() { stock.Same([]int{1}, []int{1}) },
	"generic":        func() { stock.Generic([]string{"a"}, 3) },
	"recursion":      func() { n := &stock.Node{}; n.Next = n; n.Depth() },
	"mutual":         func() { (&stock.Node{}).Even(0) },
	"stringer":       func() { log.Print(stock.Label{}) },
	"string":         func() { faults.Raise("no depot for parcel 4711") },
	"lines":          func() { faults.Raise("no depot\nknown to serve parcel 4711\n\nsee the manual") },
	"int":            func() { faults.Raise(42) },
	"struct":         func() { faults.Raise(faults.Fault{Code: 7, Text: "x"}) },
	"pointer":        func() { faults.Raise(&faults.Fault{Code: 7, Text: "x"}) },
	"code":           func() { faults.Raise(faults.Code(7)) },
	"word":           func() { faults.Raise(faults.Word("lost")) },
	"error":          func() { faults.Raise(&faults.Custom{}) },
	"named":          func() { faults.Raise(faults.NewNamed("north")) },
	"nil":            func() { faults.Raise(nil) },
	"nested":         faults.Nested,
	"repanic":        faults.Repanic,
	"wrapped":        faults.Wrapped,
	"must-refused":   func() { faults.Must(faults.Dial("127.0.0.1:1")) },
	"must-dns":       func() { faults.Must(faults.Dial("db.shop.invalid:5432")) },
	"must-file":      func() { faults.Must(faults.Open("/etc/depotd/rates.yaml")) },
	"must-tls":       func() { faults.Must(faults.TLS()) },
	"must-timeout":   func() { faults.Must(faults.Timeout()) },
	"must-env":       func() { faults.Must(faults.Env()) },
	"fatal-refused":  func() { log.Fatal(faults.Dial("127.0.0.1:1")) },
	"fatal-dns":      func() { log.Fatal(faults.Dial("db.shop.invalid:5432")) },
	"fatal-file":     func() { log.Fatal(faults.Open("/etc/depotd/rates.yaml")) },
	"fatal-tls":      func() { log.Fatal(faults.TLS()) },
	"fatal-timeout":  func() { log.Fatal(faults.Timeout()) },
	"fatal-port":     func() { log.Fatal(faults.Twice()) },
	"fatal-env":      func() { log.Fatal(faults.Env()) },
	"fatal-plain":    func() { log.Fatal("depot 7 has no lanes, giving up") },
	"bad-flag":       badFlag,
	"bad-flag-value": badFlagValue,
	"log-panic":      func() { log.Panicf("no lane for depot %d", 7) },
	"threads":        threads,
	"memory":         memory,
	"fault":          fault,
	"quit":           func() { syscall.Kill(os.Getpid(), syscall.SIGQUIT); select {} },
	"abort":          func() { syscall.Kill(os.Getpid(), syscall.SIGABRT); select {} },
	"term":           func() { syscall.Kill(os.Getpid(), syscall.SIGTERM); select {} },
	"serving-term":   func() { serve(); terminate() },
	"serving-fatal":  func() { serve(); log.Fatal(faults.Twice()) },
	"serving-panic":  func() { serve(); stock.Average(7, 0) },
	"print-exit":     printExit,
	"print-go-on":    func() { printStack(); traffic(40); terminate() },
}

//go:noinline
func idle(depth int) {
	if depth > 0 {
		idle(depth - 1)
	}
	select {}
}

func badFlag() {
	flags := flag.NewFlagSet("depotd", flag.ExitOnError)
	flags.String("listen", ":8080", "address to listen on")
	flags.Bool("fail-fast", false, "stop at the first error")
	flags.Parse([]string{"-verbos"})
}

func badFlagValue() {
	flags := flag.NewFlagSet("depotd", flag.ExitOnError)
	flags.Int("workers", 4, "number of workers")
	flags.Parse([]string{"-workers=many"})
}

func threads() {
	debug.SetMaxThreads(12)
	for i := 0; i < 40; i++ {
		go func() {
			runtime.LockOSThread()
			time.Sleep(time.Hour)
		}()
	}
	select {}
}

func memory() {
	var all [][]byte
	for {
		block := make([]byte, 64<<20)
		for i := range block {
			block[i] = 1
		}
		all = append(all, block)
	}
}

func fault() {
	file, err := os.CreateTemp("", "depotd")
	if err != nil {
		log.Fatal(err)
	}
	data, err := syscall.Mmap(int(file.Fd()), 0, 4096, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		log.Fatal(err)
	}
	os.Remove(file.Name())
	log.Printf("first byte %d", firstByte(data))
}

//go:noinline
func firstByte(data []byte) byte {
	return data[0] // culprit: fault
}

func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/owner", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, stock.NewShelf().OwnerName())
	})
	go http.Serve(listener, nil)
	for i := 0; i < 3; i++ {
		http.Get("http://" + listener.Addr().String() + "/owner")
		traffic(4)
	}
}

func terminate() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	syscall.Kill(os.Getpid(), syscall.SIGTERM)
	log.Printf("received %v, draining connections", <-signals)
	os.Exit(143)
}

func printStack() {
	defer func() {
		if r := recover(); r != nil {
			log.Printf("job failed: panic: %v\n%s", r, debug.Stack())
		}
	}()
	stock.NewShelf().At(len(strings.Join(os.Args, " ")))
}

func printExit() {
	printStack()
	os.Exit(1)
}
