// A handler marshals a map while another goroutine writes to it: the iteration is inside of encoding/json.
package main

import (
	"encoding/json"
	"strconv"
	"sync"
)

type session struct{ Values map[string]string }

func (s *session) set(n int) {
	s.Values["k"+strconv.Itoa(n%50)] = "v"
}

func (s *session) dump() []byte {
	text, _ := json.Marshal(s)
	return text
}

func main() {
	s := &session{Values: map[string]string{}}
	var wait sync.WaitGroup
	wait.Add(2)
	go func() {
		defer wait.Done()
		for n := 0; n < 3000000; n++ {
			s.set(n)
		}
	}()
	go func() {
		defer wait.Done()
		for n := 0; n < 30000; n++ {
			s.dump()
		}
	}()
	wait.Wait()
}
