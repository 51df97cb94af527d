// An embedded map with a lock that one of three methods forgets; a tested package, so the detector runs in `go test`.
package main

import (
	"sync"

	"example.com/registry/registry"
)

func main() {
	r := registry.New()
	var wait sync.WaitGroup
	for range 2 {
		wait.Add(2)
		go func() {
			defer wait.Done()
			for n := 0; n < 500000; n++ {
				r.Register(n % 100)
			}
		}()
		go func() {
			defer wait.Done()
			for n := 0; n < 500000; n++ {
				r.Lookup(n % 100)
			}
		}()
	}
	wait.Wait()
}
