// Package store keeps users.
package store

// Store keeps them by number.
type Store struct{ rows map[int]int }

// New makes an empty store.
func New() *Store { return &Store{rows: map[int]int{}} }

// Put stores one.
func (s *Store) Put(n int) {
	s.rows[n%100] = n
}
