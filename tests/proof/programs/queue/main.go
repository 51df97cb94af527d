// A slice that is grown by one goroutine and emptied by another.
package main

import "sync"

type queue struct {
	jobs   []int
	served int
}

func (q *queue) push(n int) {
	if len(q.jobs) > 64 {
		q.jobs = nil
	}
	q.jobs = append(q.jobs, n)
}

func (q *queue) last() int {
	if len(q.jobs) == 0 {
		return 0
	}
	q.served++
	return q.jobs[len(q.jobs)-1]
}

func main() {
	q := &queue{}
	var wait sync.WaitGroup
	wait.Add(2)
	go func() {
		defer wait.Done()
		for n := range 30000000 {
			q.push(n)
		}
	}()
	go func() {
		defer wait.Done()
		for range 30000000 {
			q.last()
		}
	}()
	wait.Wait()
}
