package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

const (
	// A request that takes longer has failed for the customer.
	patience = 2 * time.Second
	// The catalogue has sku-1001 to sku-1048.
	firstSKU, products = 1001, 48
	// A Service chooses a pod for each connection, so customers come back
	// over new ones: else all of them would sit on the first pod for good.
	requestsPerConnection = 20
)

// awaitShop returns when the shop answers: a Service that was only just made
// takes a moment, and that is not what the load is to show.
func awaitShop(ctx context.Context, opts options) error {
	waited, cancel := context.WithTimeout(ctx, opts.doors)
	defer cancel()
	client := &http.Client{Timeout: patience}
	for {
		response, err := client.Get(opts.url + "/healthz")
		if err == nil {
			response.Body.Close()
			return nil
		}
		if !wait(waited, 200*time.Millisecond) {
			return fmt.Errorf("the shop does not answer: %w", err)
		}
	}
}

// drive runs the customers until the context ends.
func drive(ctx context.Context, opts options, counts *tally) {
	client := &http.Client{
		Timeout:   patience,
		Transport: &http.Transport{MaxIdleConnsPerHost: opts.workers},
	}
	var customers sync.WaitGroup
	for id := range opts.workers {
		customers.Add(1)
		go func() {
			defer customers.Done()
			arrival := opts.ramp * time.Duration(id) / time.Duration(opts.workers)
			if wait(ctx, arrival) {
				shopAround(ctx, client, id, opts, counts)
			}
		}()
	}
	customers.Wait()
}

func shopAround(ctx context.Context, client *http.Client, id int, opts options, counts *tally) {
	for n := 1; ; n++ {
		request := next(opts.url, id)
		request.Close = n%requestsPerConnection == 0
		ended := send(client, request.WithContext(ctx))
		if ctx.Err() != nil {
			return // a request that our own end cut off says nothing
		}
		counts.add(ended)
		if !wait(ctx, jitter(opts.pause)) {
			return
		}
	}
}

func send(client *http.Client, request *http.Request) string {
	response, err := client.Do(request)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	return outcome(response, err)
}

// next makes up what a customer does: look at one product or at the front
// page, now and then put something in the cart.
func next(base string, customer int) *http.Request {
	sku := fmt.Sprintf("sku-%d", firstSKU+rand.IntN(products))
	method, path := http.MethodGet, "/products/"+sku
	switch dice := rand.IntN(100); {
	case dice < 45:
		path = "/products"
	case dice < 55:
		method, path = http.MethodPost, fmt.Sprintf("/cart/customer-%d/%s", customer, sku)
	}
	request, err := http.NewRequest(method, base+path, nil)
	if err != nil {
		panic(err) // the base was checked when the flags were read
	}
	return request
}

// jitter spreads a pause evenly over half to one and a half of its mean.
func jitter(mean time.Duration) time.Duration {
	return mean/2 + time.Duration(rand.Float64()*float64(mean))
}

// wait returns false when the context ended first.
func wait(ctx context.Context, pause time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}
