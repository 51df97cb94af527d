// Package sessions has a registry whose map nobody guards.
package sessions

import "strconv"

// Registry remembers when each session was last seen.
type Registry struct {
	seen map[string]int
}

const (
	// Two cores need at least two writers; more of them make the dump of all
	// goroutines show several inside the same map.
	writers  = 8
	sessions = 64
)

// New returns a registry that already knows some sessions.
func New() *Registry {
	registry := &Registry{seen: make(map[string]int)}
	for n := range sessions {
		registry.seen[name(n)] = 0
	}
	return registry
}

func name(n int) string { return "session-" + strconv.Itoa(n%sessions) }

// Touch notes that a session was seen.
func (r *Registry) Touch(session string, tick int) { r.seen[session] = tick }

// LastSeen looks a session up.
func (r *Registry) LastSeen(session string) int { return r.seen[session] }

// Active lists the sessions seen since a tick.
func (r *Registry) Active(since int) (names []string) {
	for session, tick := range r.seen {
		if tick >= since {
			names = append(names, session)
		}
	}
	return names
}

// TouchFromEverywhere has several goroutines write at once. It never returns.
func (r *Registry) TouchFromEverywhere() {
	for worker := range writers {
		go r.heartbeat(worker)
	}
	select {}
}

// LookUpWhileTouched reads while one goroutine writes. It never returns.
func (r *Registry) LookUpWhileTouched() {
	go r.heartbeat(0)
	for tick := 0; ; tick++ {
		r.LastSeen(name(tick))
	}
}

// ListWhileTouched iterates while one goroutine writes. It never returns.
func (r *Registry) ListWhileTouched() {
	go r.heartbeat(0)
	for tick := 0; ; tick++ {
		r.Active(tick)
	}
}

func (r *Registry) heartbeat(worker int) {
	for tick := worker; ; tick++ {
		r.Touch(name(tick), tick)
	}
}
