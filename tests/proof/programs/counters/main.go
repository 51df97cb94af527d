// The counter is unguarded always, the map only with the argument `map`: one function touches both.
package main

import (
	"os"
	"sync"
)

type store struct {
	mu   sync.Mutex
	rows map[int]int
	hits int
}

func (s *store) put(n int, guarded bool) {
	s.hits++
	if guarded {
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	s.rows[n%64] = n
}

func main() {
	s := &store{rows: map[int]int{}}
	var wait sync.WaitGroup
	for range 4 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for n := 0; n < 300000; n++ {
				s.put(n, os.Args[1] != "map")
			}
		}()
	}
	wait.Wait()
}
