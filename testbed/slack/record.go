package main

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"sort"
	"sync"
	"time"
)

// entry is one request and what became of it.
type entry struct {
	N        int             `json:"n"`
	Time     time.Time       `json:"time"`
	Path     string          `json:"path"`
	Channel  string          `json:"channel,omitempty"`
	Status   int             `json:"status"`
	Answer   string          `json:"answer"`
	Details  []string        `json:"details,omitempty"` // what exactly was wrong, more than Slack tells
	TS       string          `json:"ts,omitempty"`      // the message's name, if it was accepted
	ThreadTS string          `json:"thread_ts,omitempty"`
	Updates  int             `json:"updates,omitempty"`  // how often chat.update replaced it
	Mentions []string        `json:"mentions,omitempty"` // whom the message would call: never out of a log
	Links    []string        `json:"links,omitempty"`
	Cut      bool            `json:"cut,omitempty"` // its text was over the limit
	Body     json.RawMessage `json:"body"`
}

func (e *entry) accepted() bool { return e.TS != "" }

// records keeps all requests in memory and appends each to a file.
type records struct {
	mu      sync.Mutex
	entries []*entry
	file    io.Writer
}

// add numbers, stores and writes an entry.
func (r *records) add(e *entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = append(r.entries, e)
	e.N = len(r.entries)
	encoder := json.NewEncoder(r.file)
	encoder.SetEscapeHTML(false) // Slack's markup is full of < and >, and people read this
	if err := encoder.Encode(e); err != nil {
		return fmt.Errorf("record request %d: %w", e.N, err)
	}
	return nil
}

// list returns copies of the accepted messages as they are now, or of all requests.
func (r *records) list(all bool) []entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	listed := []entry{}
	for _, e := range r.entries {
		if all || e.accepted() && e.Path != updatePath {
			listed = append(listed, *e)
		}
	}
	return listed
}

// replace gives an accepted message a new body. It returns false if there is none of that name in that channel.
func (r *records) replace(channel, ts string, body json.RawMessage) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.find(channel, ts); e != nil {
		e.Body = body
		e.Updates++
		return true
	}
	return false
}

func (r *records) has(channel, ts string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.find(channel, ts) != nil
}

func (r *records) find(channel, ts string) *entry {
	for _, e := range r.entries {
		if e.TS == ts && e.Channel == channel && e.Path == postPath {
			return e
		}
	}
	return nil
}

var (
	mention = regexp.MustCompile(`<(![a-z]+(?:\^[^|>]*)?|@[UW][A-Z0-9]*)(?:\|[^>]*)?>`)
	link    = regexp.MustCompile(`<((?:https?|mailto):[^|>]*)(?:\|[^>]*)?>`)
)

// found lists what a pattern matches in any text of the message, each once.
func found(pattern *regexp.Regexp, value any) []string {
	set := map[string]bool{}
	walk(value, func(text string) {
		for _, match := range pattern.FindAllStringSubmatch(text, -1) {
			set[match[1]] = true
		}
	})
	list := make([]string, 0, len(set))
	for item := range set {
		list = append(list, item)
	}
	sort.Strings(list)
	return list
}

func walk(value any, visit func(string)) {
	switch value := value.(type) {
	case string:
		visit(value)
	case []any:
		for _, item := range value {
			walk(item, visit)
		}
	case map[string]any:
		for _, item := range value {
			walk(item, visit)
		}
	}
}
