package catalog

import "testing"

func newCache(t *testing.T) *Cache {
	t.Helper()
	store, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	return NewCache(store)
}

func TestGetReturnsAProductOfTheStoreAndCountsTheView(t *testing.T) {
	cache := newCache(t)
	for range 3 {
		if _, ok := cache.Get("sku-1001"); !ok {
			t.Fatal("sku-1001 is in the snapshot but was not found")
		}
	}
	cache.Get("sku-1002")
	if got := cache.Popular(1); len(got) != 1 || got[0] != "sku-1001" {
		t.Errorf("most popular = %v, want [sku-1001]", got)
	}
}

func TestGetOfAnUnknownProductCountsNothing(t *testing.T) {
	cache := newCache(t)
	if _, ok := cache.Get("sku-0"); ok {
		t.Fatal("found a product that does not exist")
	}
	if got := cache.Popular(5); len(got) != 0 {
		t.Errorf("popular = %v, want none", got)
	}
}
