package registry

import (
	"sync"
	"testing"
)

func TestRegisterWhileLookingUp(t *testing.T) {
	r := New()
	var wait sync.WaitGroup
	wait.Add(2)
	go func() {
		defer wait.Done()
		for n := range 100 {
			r.Register(n)
		}
	}()
	go func() {
		defer wait.Done()
		for n := range 100 {
			r.Lookup(n)
		}
	}()
	wait.Wait()
}
