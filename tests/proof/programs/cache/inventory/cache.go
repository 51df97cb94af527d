// Package inventory counts what is in stock.
package inventory

// Cache holds counts.
type Cache struct{ items map[string]int }

// New makes an empty cache.
func New() *Cache { return &Cache{items: map[string]int{}} }

// Add counts one.
func (c *Cache) Add(sku string, n int) {
	c.items[sku] = n
}

// Get returns a count.
func (c *Cache) Get(sku string) int {
	return c.items[sku]
}
