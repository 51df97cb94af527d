package main

import (
	"math"
	"sync"
	"time"
)

// rates holds one bucket for each webhook or channel. Slack allows about one message a second, and "short bursts" whose
// length it does not tell.
type rates struct {
	perSecond float64 // 0: no limit
	burst     float64
	now       func() time.Time

	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	tokens float64
	filled time.Time
}

func newRates(perSecond, burst float64, now func() time.Time) *rates {
	return &rates{perSecond: perSecond, burst: burst, now: now, buckets: map[string]bucket{}}
}

// take returns 0, or how many whole seconds to wait before the next try.
func (r *rates) take(key string) int {
	if r.perSecond == 0 {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	b, known := r.buckets[key]
	if !known {
		b = bucket{tokens: r.burst, filled: now}
	}
	b.tokens = math.Min(r.burst, b.tokens+now.Sub(b.filled).Seconds()*r.perSecond)
	b.filled = now
	wait := 0
	if b.tokens >= 1 {
		b.tokens--
	} else {
		wait = int(math.Ceil((1 - b.tokens) / r.perSecond))
	}
	r.buckets[key] = b
	return wait
}
