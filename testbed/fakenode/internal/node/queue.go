package node

import (
	"container/heap"
	"time"

	"coroner/testbed/fakenode/internal/play"
)

// entry is one pod that the kubelet has.
type entry struct {
	key, uid string

	// Of the worker that holds it, and of those who read the pod under Kubelet.mu.
	pod      *play.Pod
	dirty    bool      // its state is not published
	records  []*Record // nor are these
	events   []play.Event
	stopped  bool // its end is published: its deletion is to be confirmed
	failures int  // in a row

	// Of Kubelet.mu.
	due      time.Time
	position int // in the queue; -1 if it isn't there
	busy     bool
	again    time.Time // when it is wanted again, once it is no longer busy
	gone     bool
	deleting bool
}

// queue is a heap of entries by the time at which they are due.
type queue []*entry

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].position, q[j].position = i, j
}

func (q *queue) Push(x any) {
	e := x.(*entry)
	e.position = len(*q)
	*q = append(*q, e)
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	e.position = -1
	return e
}

// at puts an entry into the queue, or moves it forward.
func (q *queue) at(e *entry, due time.Time) {
	switch {
	case e.position < 0:
		e.due = due
		heap.Push(q, e)
	case due.Before(e.due):
		e.due = due
		heap.Fix(q, e.position)
	}
}

func (q *queue) drop(e *entry) {
	if e.position >= 0 {
		heap.Remove(q, e.position)
	}
}
