// The maps are touched in callbacks that a library calls, in an iterator's body and in a function variable.
package main

import (
	"os"
	"slices"
	"sync"
)

var seen = map[int]bool{}

var mark = func(n int) { seen[n%32] = true }

func numbers(yield func(int) bool) {
	for n := range 1000 {
		if !yield(n) {
			return
		}
	}
}

func sortAll(counts map[int]int) {
	keys := []int{5, 3, 8, 1, 9, 2}
	slices.SortFunc(keys, func(a, b int) int {
		counts[a%8]++
		return a - b
	})
}

func collect(totals map[int]int) {
	for n := range numbers {
		totals[n%16] = n
	}
}

func main() {
	counts, totals := map[int]int{}, map[int]int{}
	var wait sync.WaitGroup
	for range 3 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for n := range 3000 {
				switch os.Args[1] {
				case "sort":
					for range 20 {
						sortAll(counts)
					}
				case "iterator":
					collect(totals)
				case "variable":
					for range 100 {
						mark(n)
					}
				}
			}
		}()
	}
	wait.Wait()
}
