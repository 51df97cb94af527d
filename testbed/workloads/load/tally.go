package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sort"
	"strings"
	"sync"
	"syscall"
)

// tally counts requests by how they ended, since the last line and in all.
type tally struct {
	mu      sync.Mutex
	recent  map[string]int
	overall map[string]int
}

const okay = "ok"

func newTally() *tally {
	return &tally{recent: map[string]int{}, overall: map[string]int{}}
}

func (t *tally) add(outcome string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recent[outcome]++
	t.overall[outcome]++
}

// take describes what came since the last call, and starts over.
func (t *tally) take() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := describe(t.recent)
	clear(t.recent)
	return line
}

func (t *tally) total() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return describe(t.overall)
}

// describe prints "ok 120  failed 7 (connection refused 5, EOF 2)".
func describe(counts map[string]int) string {
	failed := 0
	var kinds []string
	for kind, n := range counts {
		if kind != okay {
			failed += n
			kinds = append(kinds, fmt.Sprintf("%s %d", kind, n))
		}
	}
	sort.Strings(kinds)
	line := fmt.Sprintf("ok %4d  failed %4d", counts[okay], failed)
	if failed > 0 {
		line += " (" + strings.Join(kinds, ", ") + ")"
	}
	return line
}

// outcome names the end of one request, in the words an engineer would use.
func outcome(response *http.Response, err error) string {
	switch {
	case err == nil && response.StatusCode < 500:
		return okay
	case err == nil:
		return fmt.Sprintf("status %d", response.StatusCode)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "EOF"
	case isTimeout(err):
		return "timeout"
	}
	return "other error"
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}
