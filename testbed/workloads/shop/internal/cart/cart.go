// Package cart keeps the shopping carts of the customers.
package cart

import "sync"

// Carts holds the carts by customer. It is safe for concurrent use.
type Carts struct {
	mu    sync.Mutex
	items map[string][]string
}

// New returns no carts.
func New() *Carts { return &Carts{items: make(map[string][]string)} }

// maxItems keeps a customer who only ever adds from filling the memory.
const maxItems = 50

// Add puts a product into the customer's cart, dropping the oldest when the
// cart is full, and returns how many there are now.
func (c *Carts) Add(customer, sku string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	items := append(c.items[customer], sku)
	if len(items) > maxItems {
		items = items[1:]
	}
	c.items[customer] = items
	return len(items)
}

// Items returns a copy of the customer's cart.
func (c *Carts) Items(customer string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.items[customer]...)
}
