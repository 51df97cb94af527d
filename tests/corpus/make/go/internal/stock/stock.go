// Package stock holds the code that crashes: each function has one bug, marked on the line that is its culprit.
package stock

import (
	"fmt"
	"sync"
)

type Shelf struct {
	parcels map[string]int
	order   []string
	owner   *Owner
	mu      sync.RWMutex
}

type Owner struct{ Name string }

func NewShelf() *Shelf { return &Shelf{parcels: map[string]int{"A-1": 1}} }

//go:noinline
func (s *Shelf) Put(id string) {
	s.parcels[id]++ // culprit: put
}

//go:noinline
func (s *Shelf) Get(id string) int {
	return s.parcels[id] // culprit: get
}

//go:noinline
func (s *Shelf) Sum() (n int) {
	for _, count := range s.parcels { // culprit: sum
		n += count
	}
	return n
}

//go:noinline
func (s *Shelf) OwnerName() string {
	return s.owner.Name // culprit: nil-deref
}

//go:noinline
func (s *Shelf) At(i int) string {
	return s.order[i] // culprit: index
}

//go:noinline
func (s *Shelf) Slice(from, to int) []string {
	return s.order[from:to] // culprit: slice
}

//go:noinline
func Pair(list []int) [2]int {
	return *(*[2]int)(list) // culprit: slice-to-array
}

//go:noinline
func Reserve(n int) []int {
	return make([]int, n) // culprit: makeslice
}

//go:noinline
func (s *Shelf) Mark(m map[string]bool) {
	m["x"] = true // culprit: nil-map
}

//go:noinline
func Average(total, n int) int {
	return total / n // culprit: divide
}

//go:noinline
func Shift(n int) int {
	return 1 << n // culprit: shift
}

//go:noinline
func Weight(v interface{}) int {
	return v.(int) // culprit: conversion
}

//go:noinline
func Seen(m map[interface{}]bool, key interface{}) bool {
	return m[key] // culprit: unhashable
}

//go:noinline
func Same(a, b interface{}) bool {
	return a == b // culprit: uncomparable
}

//go:noinline
func Generic[T any](list []T, i int) T {
	return list[i] // culprit: generic
}

type Queue struct {
	jobs chan int
	wg   sync.WaitGroup
	mu   sync.Mutex
}

func NewQueue() *Queue { return &Queue{jobs: make(chan int, 1)} }

//go:noinline
func (q *Queue) Push(n int) {
	q.jobs <- n // culprit: push
}

//go:noinline
func (q *Queue) Close() {
	close(q.jobs) // culprit: close
}

//go:noinline
func (q *Queue) Done() {
	q.wg.Done() // culprit: done
}

//go:noinline
func (q *Queue) Unlock() {
	q.mu.Unlock() // culprit: unlock
}

//go:noinline
func (s *Shelf) RUnlock() {
	s.mu.RUnlock() // culprit: runlock
}

//go:noinline
func (q *Queue) Wait() {
	q.wg.Add(1)
	q.wg.Wait() // culprit: wait
}

//go:noinline
func (q *Queue) Relock() {
	q.mu.Lock()
	q.mu.Lock() // culprit: relock
}

type Node struct {
	Name string
	Next *Node
}

//go:noinline
func (n *Node) Depth() int { // culprit: recursion
	return 1 + n.Next.Depth()
}

//go:noinline
func (n *Node) Even(i int) bool {
	if i == -1 {
		return true
	}
	return n.Odd(i + 1)
}

//go:noinline
func (n *Node) Odd(i int) bool {
	if i == -1 {
		return false
	}
	return n.Even(i + 1)
}

type Label struct{ text string }

func (l Label) String() string {
	return fmt.Sprintf("label %v", l) // culprit: stringer
}
