package cart

import (
	"sync"
	"testing"
)

func TestConcurrentAddsAreAllCounted(t *testing.T) {
	carts := New()
	var adders sync.WaitGroup
	for range maxItems {
		adders.Add(1)
		go func() { defer adders.Done(); carts.Add("ann", "sku-1001") }()
	}
	adders.Wait()
	if got := len(carts.Items("ann")); got != maxItems {
		t.Errorf("%d items, want %d", got, maxItems)
	}
}

func TestAFullCartDropsTheOldest(t *testing.T) {
	carts := New()
	carts.Add("bob", "first")
	for range maxItems {
		carts.Add("bob", "later")
	}
	items := carts.Items("bob")
	if len(items) != maxItems || items[0] != "later" {
		t.Errorf("%d items starting with %q, want %d starting with \"later\"", len(items), items[0], maxItems)
	}
}
