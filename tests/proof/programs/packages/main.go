// Two packages of one name, with one type and one method of one name in files of one name.
package main

import (
	"os"
	"sync"

	carts "example.com/packages/carts/store"
	users "example.com/packages/users/store"
)

func main() {
	c, u := carts.New(), users.New()
	var wait sync.WaitGroup
	for range 4 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for n := 0; n < 300000; n++ {
				if os.Args[1] == "carts" {
					c.Put(n)
				} else {
					u.Put(n)
				}
			}
		}()
	}
	wait.Wait()
}
