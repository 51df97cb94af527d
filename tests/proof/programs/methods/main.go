// One type with two maps: some methods touch one of them, Record touches both. The argument says which methods run.
package main

import (
	"os"
	"strconv"
	"sync"
)

type stats struct {
	hits   map[int]int
	misses map[int]int
}

func (s *stats) hit(n int)      { s.hits[n%32]++ }
func (s *stats) miss(n int)     { s.misses[n%32]++ }
func (s *stats) hitCount() int  { return s.hits[3] }
func (s *stats) missCount() int { return s.misses[3] }

func (s *stats) record(n int, hits, misses bool) {
	if hits {
		s.hits[n%32] = n
	}
	if misses {
		s.misses[n%32] = n
	}
}

func repeat(wait *sync.WaitGroup, work func(n int)) {
	defer wait.Done()
	for n := range rounds() {
		work(n)
	}
}

func main() {
	s := &stats{hits: map[int]int{}, misses: map[int]int{}}
	var wait sync.WaitGroup
	start := func(work func(n int)) {
		wait.Add(1)
		go repeat(&wait, work)
	}
	for _, mode := range os.Args[1:] {
		switch mode {
		case "hits":
			start(func(n int) { s.hit(n) })
			start(func(int) { s.hitCount() })
		case "misses":
			start(func(n int) { s.miss(n) })
			start(func(int) { s.missCount() })
		case "record-hits":
			start(func(n int) { s.record(n, true, false) })
			start(func(n int) { s.record(n, true, false) })
		case "record-misses":
			start(func(n int) { s.record(n, false, true) })
			start(func(n int) { s.record(n, false, true) })
		}
	}
	wait.Wait()
}

// Under the detector a few rounds do, and the program lives to meet all of its races.
func rounds() int {
	if n, err := strconv.Atoi(os.Getenv("ROUNDS")); err == nil {
		return n
	}
	return 800000
}
