// Package queue misuses channels and locks.
package queue

import "sync"

// Park starts n goroutines that wait for work which never comes: they are the
// bulk of a dump of all goroutines.
func Park(n int) {
	work := make(chan int)
	for range n {
		go consume(work)
	}
}

func consume(work <-chan int) {
	for order := range work {
		deliver(order)
	}
}

func deliver(int) {}

// AwaitNobody waits for a message that no goroutine can send.
func AwaitNobody() { <-make(chan struct{}) }

// SendAfterClose publishes on a channel that shutdown has closed.
func SendAfterClose() {
	updates := make(chan int, 1)
	shutdown(updates)
	publish(updates, 1)
}

// CloseTwice shuts the same channel down two times.
func CloseTwice() {
	updates := make(chan int)
	shutdown(updates)
	shutdown(updates)
}

func shutdown(updates chan int) { close(updates) }

func publish(updates chan<- int, value int) { updates <- value }

// ReleaseTwice unlocks a mutex that is not locked.
func ReleaseTwice() {
	var lock sync.Mutex
	lock.Lock()
	lock.Unlock()
	lock.Unlock()
}

// FinishTwice counts a WaitGroup below zero.
func FinishTwice() {
	var group sync.WaitGroup
	group.Add(1)
	group.Done()
	group.Done()
}
