// An interface is two words: a reader sees the type of one value with the data of another, and the process faults.
package main

import "sync"

type small struct{ n uintptr }
type large struct{ name **string }

type shape interface{ size() int }

func (s small) size() int { return int(s.n) }
func (l large) size() int { return len(**l.name) }

type holder struct{ shape shape }

func (h *holder) replace(n uintptr, name **string) {
	if n%2 == 0 {
		h.shape = small{n}
	} else {
		h.shape = large{name}
	}
}

func (h *holder) measure() int {
	return h.shape.size()
}

func main() {
	text := "x"
	name := &text
	h := &holder{shape: small{1}}
	var wait sync.WaitGroup
	wait.Add(2)
	go func() {
		defer wait.Done()
		for n := range 50000000 {
			h.replace(uintptr(n%7)+1, &name)
		}
	}()
	go func() {
		defer wait.Done()
		for range 50000000 {
			h.measure()
		}
	}()
	wait.Wait()
}
