package catalog

import (
	"sort"
	"sync"
)

// Cache keeps products in memory and counts how often each one is looked at,
// for the "popular now" box.
type Cache struct {
	store *Store

	mu      sync.RWMutex
	entries map[string]Product

	// views came later than mu, and nobody put it under the lock. This is the
	// defect that the demo is about: leave it in.
	views map[string]int
}

// NewCache returns an empty cache in front of store.
func NewCache(store *Store) *Cache {
	return &Cache{
		store:   store,
		entries: make(map[string]Product),
		views:   make(map[string]int),
	}
}

// Get returns a product and counts the view.
func (c *Cache) Get(sku string) (Product, bool) {
	c.mu.RLock()
	product, ok := c.entries[sku]
	c.mu.RUnlock()
	if !ok {
		if product, ok = c.fill(sku); !ok {
			return Product{}, false
		}
	}
	c.views[sku]++
	return product, true
}

func (c *Cache) fill(sku string) (Product, bool) {
	product, ok := c.store.Find(sku)
	if !ok {
		return Product{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries[sku] = product
	return product, true
}

// Popular lists the n products looked at most.
func (c *Cache) Popular(n int) []string {
	skus := make([]string, 0, len(c.views))
	for sku := range c.views {
		skus = append(skus, sku)
	}
	sort.Slice(skus, func(i, j int) bool { return c.views[skus[i]] > c.views[skus[j]] })
	return skus[:min(n, len(skus))]
}
