// A connection is dropped by one goroutine between another's look and use.
package main

import "sync"

type conn struct{ sent int }

type pool struct{ current *conn }

func (p *pool) drop() { p.current = nil }

func (p *pool) renew() { p.current = &conn{} }

func (p *pool) send() int {
	if p.current != nil {
		p.current.sent++
		return p.current.sent
	}
	return 0
}

func main() {
	p := &pool{current: &conn{}}
	var wait sync.WaitGroup
	wait.Add(2)
	go func() {
		defer wait.Done()
		for range 20000000 {
			p.drop()
			p.renew()
		}
	}()
	go func() {
		defer wait.Done()
		for range 20000000 {
			p.send()
		}
	}()
	wait.Wait()
}
