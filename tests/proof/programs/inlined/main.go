// Everything is small enough to be inlined into the goroutine that runs it.
package main

import "sync"

type table map[int]int

func (t table) put(k, v int) { t[k] = v }
func (t table) drop(k int)   { delete(t, k) }

func work(t table, n int) {
	t.put(n%16, n)
	t.drop((n + 1) % 16)
}

func main() {
	t := table{}
	var wait sync.WaitGroup
	for range 3 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for n := 0; n < 400000; n++ {
				work(t, n)
			}
		}()
	}
	wait.Wait()
}
