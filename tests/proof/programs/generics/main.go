// A generic set whose instances are filled by several goroutines.
package main

import "sync"

type set[K comparable] struct{ members map[K]struct{} }

func (s *set[K]) add(k K) {
	s.members[k] = struct{}{}
}

func (s *set[K]) has(k K) bool {
	_, ok := s.members[k]
	return ok
}

func fill[K comparable](s *set[K], keys []K) {
	for n := 0; n < 400000; n++ {
		s.add(keys[n%len(keys)])
	}
}

func main() {
	names := &set[string]{members: map[string]struct{}{}}
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() { fill(names, []string{"a", "b", "c"}) })
		wait.Go(func() {
			for n := 0; n < 400000; n++ {
				names.has("b")
			}
		})
	}
	wait.Wait()
}
