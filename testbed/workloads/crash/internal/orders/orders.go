// Package orders holds the bugs of one goroutine: each function dies in its
// own way, so that each has a name of its own in a trace.
package orders

import (
	"errors"
	"fmt"
)

// Invoice is what PrintTotal dereferences.
type Invoice struct {
	Number string
	Cents  int
}

// Rejection is a panic value that is no error and no string.
type Rejection struct {
	Order  int
	Reason string
}

// Checkout panics with an error that wraps another.
func Checkout(order string) {
	if err := charge(order); err != nil {
		panic(fmt.Errorf("checkout %s: %w", order, err))
	}
}

func charge(string) error { return errors.New("no payment provider configured") }

// Ship is the second bug, with another function and another text.
func Ship(order string) {
	panic(fmt.Sprintf("shipping label for %s has no address", order))
}

// CheckoutInBackground panics in a goroutine of its own.
func CheckoutInBackground() {
	go Checkout("order-4712")
	select {}
}

// CheckoutGuarded recovers the panic of Checkout and raises it again.
func CheckoutGuarded() {
	defer func() {
		if problem := recover(); problem != nil {
			panic(problem)
		}
	}()
	Checkout("order-4713")
}

// Refuse panics with a plain string.
func Refuse(message string) { panic(message) }

// RefuseWithDetails panics with a struct.
func RefuseWithDetails(order int) { panic(Rejection{Order: order, Reason: "blocked"}) }

// PrintTotal dereferences its argument without a look.
func PrintTotal(invoice *Invoice) { fmt.Println("total", invoice.Cents) }

var stock map[string]int

// CountStock writes to a map that nobody made.
func CountStock(sku string) { stock[sku]++ }

// LastItem reads before the first element of an empty slice.
func LastItem(items []string) string { return items[len(items)-1] }

// FirstItems cuts more than there is.
func FirstItems(items []string, n int) []string { return items[:n] }

// Average divides by whatever it is given.
func Average(cents, n int) int { return cents / n }

// Customer takes for granted what a context value holds.
func Customer(value any) *Invoice { return value.(*Invoice) }

// Resolve follows a category to its parent, and the root is its own parent.
func Resolve(category string, depth int) int { return parentOf(category, depth+1) }

func parentOf(category string, depth int) int { return Resolve(category, depth) + 1 }
