package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestOutcomesAreNamedAsAnEngineerWould(t *testing.T) {
	inURL := func(err error) error { return &url.Error{Op: "Get", URL: "http://shop", Err: err} }
	for _, c := range []struct {
		status int
		err    error
		want   string
	}{
		{200, nil, "ok"},
		{404, nil, "ok"},
		{503, nil, "status 503"},
		{0, inURL(fmt.Errorf("dial: %w", syscall.ECONNREFUSED)), "connection refused"},
		{0, inURL(io.EOF), "EOF"},
		{0, inURL(syscall.ECONNRESET), "connection reset"},
		{0, inURL(context.DeadlineExceeded), "timeout"},
		{0, errors.New("no route"), "other error"},
	} {
		if got := outcome(&http.Response{StatusCode: c.status}, c.err); got != c.want {
			t.Errorf("outcome(%d, %v) = %q, want %q", c.status, c.err, got, c.want)
		}
	}
}

func TestALineCountsFromTheLastOneAndTheTotalCountsAll(t *testing.T) {
	counts := newTally()
	counts.add(okay)
	counts.add("EOF")
	if got := counts.take(); got != "ok    1  failed    1 (EOF 1)" {
		t.Errorf("first line %q", got)
	}
	counts.add(okay)
	if got := counts.take(); got != "ok    1  failed    0" {
		t.Errorf("second line %q", got)
	}
	if got := counts.total(); got != "ok    2  failed    1 (EOF 1)" {
		t.Errorf("total %q", got)
	}
}

func TestTheLoadEndsByItselfAndHasReachedTheServer(t *testing.T) {
	var seen atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen.Add(1) }))
	defer server.Close()
	limited, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	counts := newTally()
	drive(limited, options{url: server.URL, workers: 4, pause: time.Millisecond}, counts)
	if seen.Load() == 0 || !strings.Contains(counts.total(), "failed    0") {
		t.Errorf("%d requests seen, %s", seen.Load(), counts.total())
	}
}

func TestAShopThatNeverAnswersIsSaid(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	if err := awaitShop(context.Background(), options{url: server.URL, doors: time.Second}); err != nil {
		t.Errorf("an answer of any kind is an open shop, got %v", err)
	}
	server.Close()
	if err := awaitShop(context.Background(), options{url: server.URL, doors: time.Millisecond}); err == nil {
		t.Error("a closed port was taken for a shop")
	}
}

func TestWrongOptionsAreRefused(t *testing.T) {
	for _, args := range [][]string{{"--url", "shop"}, {"--workers", "0"}, {"--for", "0s"}} {
		if _, err := parse(args); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
}
