// Package catalog knows the products on sale.
package catalog

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sort"
)

//go:embed products.json
var snapshot []byte

// Product is one thing on sale; Cents is its price.
type Product struct {
	SKU   string `json:"sku"`
	Name  string `json:"name"`
	Cents int    `json:"cents"`
}

// Store is the source of truth behind the cache. It never changes after Open.
type Store struct {
	bySKU map[string]Product
	skus  []string
}

// Open reads the catalogue snapshot that was built into the binary.
func Open() (*Store, error) {
	var products []Product
	if err := json.Unmarshal(snapshot, &products); err != nil {
		return nil, fmt.Errorf("catalogue snapshot: %w", err)
	}
	store := &Store{bySKU: make(map[string]Product, len(products))}
	for _, product := range products {
		store.bySKU[product.SKU] = product
		store.skus = append(store.skus, product.SKU)
	}
	sort.Strings(store.skus)
	return store, nil
}

// Find returns the product with that stock keeping unit.
func (s *Store) Find(sku string) (Product, bool) {
	product, ok := s.bySKU[sku]
	return product, ok
}

// SKUs lists every stock keeping unit in order.
func (s *Store) SKUs() []string { return s.skus }
