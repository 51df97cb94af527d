// Package registry knows services by number.
package registry

import "sync"

type base struct {
	mu    sync.RWMutex
	names map[int]string
}

func (b *base) put(n int) { b.names[n] = "service" }

// Registry is safe for concurrent use, says its author.
type Registry struct{ base }

// New makes an empty registry.
func New() *Registry { return &Registry{base{names: map[int]string{}}} }

// Register adds a service.
func (r *Registry) Register(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(n)
}

// Lookup finds a service, without the lock.
func (r *Registry) Lookup(n int) string {
	return r.names[n]
}
