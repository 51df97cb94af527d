// One map behind methods of a package of its own; a reader and a writer.
package main

import (
	"fmt"
	"sync"

	"example.com/cache/inventory"
)

func main() {
	cache := inventory.New()
	var wait sync.WaitGroup
	wait.Add(2)
	go func() {
		defer wait.Done()
		fill(cache)
	}()
	go func() {
		defer wait.Done()
		look(cache)
	}()
	wait.Wait()
}

func fill(cache *inventory.Cache) {
	for n := 0; n < 2000000; n++ {
		cache.Add(fmt.Sprint("sku-", n%512), n)
	}
}

func look(cache *inventory.Cache) {
	for n := 0; n < 2000000; n++ {
		cache.Get("sku-7")
	}
}
