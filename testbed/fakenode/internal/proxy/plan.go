package proxy

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
)

// Plan says what goes wrong on the way. Shares are from 0 to 1, and are tried in this order.
type Plan struct {
	Throttle float64 `json:"throttle,omitempty"` // 429 with Retry-After
	Fail     float64 `json:"fail,omitempty"`     // 500
	Hang     float64 `json:"hang,omitempty"`     // no answer, ever
	Cut      float64 `json:"cut,omitempty"`      // the connection breaks before the request gets through
	Lose     float64 `json:"lose,omitempty"`     // the request gets through, its answer breaks off
	Tear     float64 `json:"tear,omitempty"`     // a watch breaks off after some seconds

	NoLogs bool `json:"noLogs,omitempty"` // every read of a log is refused
	Split  bool `json:"split,omitempty"`  // this side has Leases of its own, as if both sides led
}

// Fault is what happens to one request.
type Fault int

// The faults; Clean is none.
const (
	Clean Fault = iota
	Throttle
	Fail
	Hang
	Cut
	Lose
	Tear
	NoLog
)

var faultNames = map[Fault]string{
	Throttle: "throttle", Fail: "fail", Hang: "hang", Cut: "cut", Lose: "lose", Tear: "tear", NoLog: "noLogs",
}

func (p Plan) check() error {
	for _, share := range []float64{p.Throttle, p.Fail, p.Hang, p.Cut, p.Lose, p.Tear} {
		if share < 0 || share > 1 {
			return fmt.Errorf("a share of %g: want 0 to 1", share)
		}
	}
	return nil
}

// choose picks a fault for a request.
func (p Plan) choose(what request, dice func() float64) Fault {
	if p.NoLogs && what.resource == "pods/log" {
		return NoLog
	}
	for _, fault := range []struct {
		share float64
		fault Fault
	}{{p.Throttle, Throttle}, {p.Fail, Fail}, {p.Hang, Hang}, {p.Cut, Cut}, {p.Lose, Lose}, {p.Tear, Tear}} {
		if fault.fault == Tear && !what.watch {
			continue
		}
		if fault.share > 0 && dice() < fault.share {
			return fault.fault
		}
	}
	return Clean
}

// Way is one way to the API server: the plan that holds on it, and what went over it.
type Way struct {
	mu     sync.Mutex
	plan   Plan
	dice   *rand.Rand
	passed map[string]int64 // requests that got through, by "METHOD resource"
	struck map[string]int64
}

// NewWay returns a way without faults; its dice are those of the seed.
func NewWay(seed uint64) *Way {
	return &Way{dice: rand.New(rand.NewPCG(seed, 0)), passed: map[string]int64{}, struck: map[string]int64{}}
}

// Set replaces the plan.
func (w *Way) Set(plan Plan) error {
	if err := plan.check(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plan = plan
	return nil
}

// decide notes a request and what is to happen to it.
func (w *Way) decide(what request) (fault Fault, split bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fault = w.plan.choose(what, w.dice.Float64)
	if name, isFault := faultNames[fault]; isFault {
		w.struck[name]++
	}
	if fault == Clean || fault == Lose || fault == Tear {
		w.passed[what.String()]++
	}
	return fault, w.plan.Split
}

// random is a number from 0 to below 1.
func (w *Way) random() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dice.Float64()
}

// Control is the handler for tests: GET / tells what went over the way, POST / replaces its plan.
func (w *Way) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(out http.ResponseWriter, _ *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		json.NewEncoder(out).Encode(map[string]any{"plan": w.plan, "passed": w.passed, "struck": w.struck})
	})
	mux.HandleFunc("POST /{$}", func(out http.ResponseWriter, r *http.Request) {
		var plan Plan
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&plan)
		if err == nil {
			err = w.Set(plan)
		}
		if err != nil {
			http.Error(out, err.Error(), http.StatusBadRequest)
		}
	})
	return mux
}
