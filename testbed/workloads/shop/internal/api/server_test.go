package api

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/acme/shop/internal/catalog"
)

func newHandler(t *testing.T) http.Handler {
	t.Helper()
	store, err := catalog.Open()
	if err != nil {
		t.Fatal(err)
	}
	return New(store).Handler()
}

func do(handler http.Handler, method, path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(method, path, nil))
	return answer
}

func TestRoutes(t *testing.T) {
	handler := newHandler(t)
	for _, c := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/healthz", 200, "ok"},
		{"GET", "/products", 200, `"total":48,"from_cents":`},
		{"GET", "/products/sku-1001", 200, `"name":"Oak Table"`},
		{"GET", "/products/sku-9", 404, "no such product"},
		{"POST", "/cart/ann/sku-1001", 200, `"items":1`},
		{"POST", "/cart/ann/sku-9", 404, "no such product"},
		{"GET", "/cart/ann", 200, `["sku-1001"]`},
		{"GET", "/popular", 200, `"sku-1001"`},
	} {
		answer := do(handler, c.method, c.path)
		if answer.Code != c.status || !strings.Contains(answer.Body.String(), c.body) {
			t.Errorf("%s %s: %d %q, want %d with %q", c.method, c.path, answer.Code, answer.Body, c.status, c.body)
		}
	}
}

func TestTheAccessLogIsInCommonFormatAndLeavesProbesOut(t *testing.T) {
	var log bytes.Buffer
	handler := AccessLog(&log, newHandler(t))
	do(handler, "GET", "/healthz")
	do(handler, "GET", "/products/sku-9")
	want := regexp.MustCompile(`^192\.0\.2\.1 - - \[[^]]+\] "GET /products/sku-9 HTTP/1\.1" 404 16 \S+\n$`)
	if !want.MatchString(log.String()) {
		t.Errorf("log = %q, want one line like %s", log.String(), want)
	}
}
