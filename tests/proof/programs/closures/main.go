// Two pairs of closures in main, each pair with a map of its own. The argument says which of them run.
package main

import (
	"os"
	"sync"
)

func main() {
	users, orders := map[int]int{}, map[int]int{}
	which := os.Args[1]
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Add(2)
		go func() {
			defer wait.Done()
			for n := 0; n < 300000 && which != "orders"; n++ {
				users[n%64] = i
			}
		}()
		go func() {
			defer wait.Done()
			for n := 0; n < 300000 && which != "users"; n++ {
				orders[n%64] = i
			}
		}()
	}
	wait.Wait()
}
