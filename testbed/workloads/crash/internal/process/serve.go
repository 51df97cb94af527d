package process

import (
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/acme/crash/internal/orders"
)

// Health tells whether /healthz says yes at a moment.
type Health func(now time.Time) bool

// Healthy always says yes.
func Healthy(time.Time) bool { return true }

// HealthyUntil says yes for a while from now on.
func HealthyUntil(span time.Duration) Health {
	end := time.Now().Add(span)
	return func(now time.Time) bool { return now.Before(end) }
}

// HealthyFrom says yes after a while from now on.
func HealthyFrom(span time.Duration) Health {
	ready := time.Now().Add(span)
	return func(now time.Time) bool { return !now.Before(ready) }
}

// Serve answers /healthz and everything else. It does not return.
func Serve(address string, healthy Health) {
	log.Printf("listening on %s", address)
	log.Fatal(http.ListenAndServe(address, handler(healthy)))
}

func handler(healthy Health) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if !healthy(time.Now()) {
			http.Error(w, "worker queue is stuck", http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello\n") })
	return mux
}

// ServeUntilTerm serves until SIGTERM, then ends the program by last.
func ServeUntilTerm(address string, last func()) {
	go Serve(address, Healthy)
	AwaitTerm()
	last()
}

// AwaitTerm returns when SIGTERM comes.
func AwaitTerm() {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	<-term
	log.Print("received SIGTERM")
}

// IgnoreTerm makes SIGTERM harmless, so that only SIGKILL helps.
func IgnoreTerm() { signal.Ignore(syscall.SIGTERM) }

// ServeWithPanics calls a handler of its own that panics, again and again:
// net/http logs each trace and goes on.
func ServeWithPanics(address string) {
	mux := http.NewServeMux()
	mux.Handle("/", handler(Healthy))
	mux.HandleFunc("/checkout", func(http.ResponseWriter, *http.Request) { orders.Checkout("order-4714") })
	go callRepeatedly("http://127.0.0.1" + port(address) + "/checkout")
	log.Printf("listening on %s", address)
	log.Fatal(http.ListenAndServe(address, mux))
}

func callRepeatedly(url string) {
	for range time.Tick(time.Second) {
		if response, err := http.Get(url); err == nil {
			response.Body.Close()
		}
	}
}

// port cuts the host off an address like 0.0.0.0:8080.
func port(address string) string {
	for i := len(address) - 1; i >= 0; i-- {
		if address[i] == ':' {
			return address[i:]
		}
	}
	return ":" + address
}
