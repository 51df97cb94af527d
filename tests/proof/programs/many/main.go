// Three maps, five functions, one of which touches two of the maps. The arguments say which functions run.
package main

import (
	"os"
	"strconv"
	"sync"
)

var prices, stock, views = map[int]int{}, map[int]int{}, map[int]int{}

func setPrice(n int)  { prices[n%64] = n }
func getPrice(n int)  { _ = prices[n%64] }
func setStock(n int)  { stock[n%64] = n }
func countView(n int) { views[n%64]++ }

func refresh(n int) {
	if n%2 == 0 {
		prices[n%64] = n
	} else {
		stock[n%64] = n
	}
}

func main() {
	all := map[string]func(int){
		"setPrice": setPrice, "getPrice": getPrice, "setStock": setStock, "countView": countView, "refresh": refresh,
	}
	var wait sync.WaitGroup
	for _, name := range os.Args[1:] {
		wait.Add(1)
		go loop(&wait, all[name])
	}
	wait.Wait()
}

func loop(wait *sync.WaitGroup, work func(int)) {
	defer wait.Done()
	for n := range rounds() {
		work(n)
	}
}

// Under the detector a few rounds do, and the program lives to meet all of its races.
func rounds() int {
	if n, err := strconv.Atoi(os.Getenv("ROUNDS")); err == nil {
		return n
	}
	return 800000
}
