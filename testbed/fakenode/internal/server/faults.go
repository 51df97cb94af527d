package server

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Plan says what goes wrong with reads of logs. Shares are from 0 to 1, and are tried in this order.
type Plan struct {
	Node      string  `json:"node,omitempty"`      // only on this node
	Namespace string  `json:"namespace,omitempty"` // only in this namespace
	Delay     string  `json:"delay,omitempty"`     // before every answer, a duration
	Hang      float64 `json:"hang,omitempty"`      // never answers
	Fail      float64 `json:"fail,omitempty"`      // 500
	Starting  float64 `json:"starting,omitempty"`  // 404, as a kubelet that is starting
	Words     float64 `json:"words,omitempty"`     // 200 with an error as the log
	Cut       float64 `json:"cut,omitempty"`       // the connection breaks in the middle

	PauseLeases bool `json:"pauseLeases,omitempty"` // the nodes look dead
}

// Faults is the plan that holds now.
type Faults struct {
	mu     sync.Mutex
	plan   Plan
	delay  time.Duration
	served atomic.Int64
	struck atomic.Int64
	leases *atomic.Bool
}

// NewFaults returns no faults. Leases are renewed while paused is false.
func NewFaults(paused *atomic.Bool) *Faults { return &Faults{leases: paused} }

// Set replaces the plan.
func (f *Faults) Set(plan Plan) error {
	delay := time.Duration(0)
	if plan.Delay != "" {
		var err error
		if delay, err = time.ParseDuration(plan.Delay); err != nil {
			return err
		}
	}
	for _, share := range []float64{plan.Hang, plan.Fail, plan.Starting, plan.Words, plan.Cut} {
		if share < 0 || share > 1 {
			return fmt.Errorf("a share of %g: want 0 to 1", share)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan, f.delay = plan, delay
	f.leases.Store(plan.PauseLeases)
	return nil
}

func (f *Faults) get() (Plan, time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.plan, f.delay
}

// strike returns true if it has spoilt the answer.
func (f *Faults) strike(w http.ResponseWriter, r *http.Request, node string) bool {
	plan, delay := f.get()
	if plan.Node != "" && plan.Node != node || plan.Namespace != "" && plan.Namespace != r.PathValue("namespace") {
		return false
	}
	if delay > 0 && !pause(r.Context(), delay, func() bool { return true }) {
		return true
	}
	spoil := chosen(plan, rand.Float64)
	if spoil == nil {
		return false
	}
	f.struck.Add(1)
	spoil(w, r)
	return true
}

// chosen picks a fault, or none.
func chosen(plan Plan, dice func() float64) func(http.ResponseWriter, *http.Request) {
	for _, fault := range []struct {
		share float64
		spoil func(http.ResponseWriter, *http.Request)
	}{{plan.Hang, hang}, {plan.Fail, fail}, {plan.Starting, starting}, {plan.Words, words}, {plan.Cut, cut}} {
		if fault.share > 0 && dice() < fault.share {
			return fault.spoil
		}
	}
	return nil
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func fail(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "the fake kubelet was told to fail", http.StatusInternalServerError)
}

func starting(w http.ResponseWriter, r *http.Request) {
	http.Error(w, fmt.Sprintf("pod %q does not exist", r.PathValue("pod")), http.StatusNotFound)
}

func words(w http.ResponseWriter, _ *http.Request) {
	const id = "containerd://0000000000000000000000000000000000000000000000000000000000000000"
	io.WriteString(w, "unable to retrieve container logs for "+id)
}

func cut(w http.ResponseWriter, _ *http.Request) {
	io.WriteString(w, "START instance=cut")
	http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler) // net/http's way to break a connection
}

// Truth is what was played.
type Truth interface {
	Write(io.Writer) error
	Len() int
}

// Control is the handler for tests.
func Control(faults *Faults, truth Truth, pods func() int) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthy)
	mux.HandleFunc("GET /truth", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jsonl")
		truth.Write(w)
	})
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]int64{
			"pods": int64(pods()), "terminations": int64(truth.Len()), "logReads": faults.served.Load(), "logFaults": faults.struck.Load(),
		})
	})
	mux.HandleFunc("GET /control", func(w http.ResponseWriter, _ *http.Request) {
		plan, _ := faults.get()
		json.NewEncoder(w).Encode(plan)
	})
	mux.HandleFunc("POST /control", func(w http.ResponseWriter, r *http.Request) {
		var plan Plan
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&plan)
		if err == nil {
			err = faults.Set(plan)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	return mux
}
