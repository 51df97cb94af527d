// Package proxy stands between a client and a real API server and spoils what goes over it: what is refused, never
// answered, cut off before it arrived or after, as networks and overloaded servers do.
package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"
)

// longestWatch is how late a torn watch breaks at the latest.
const longestWatch = 10 * time.Second

// request is what matters of one.
type request struct {
	method   string
	resource string // with its subresource: pods/log
	watch    bool
}

func (r request) String() string {
	if r.watch {
		return "WATCH " + r.resource
	}
	return r.method + " " + r.resource
}

// parse reads /api/v1/namespaces/NS/RESOURCE/NAME/SUBRESOURCE and its shorter forms.
func parse(r *http.Request) request {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		parts = parts[3:]
	default:
		return request{method: r.Method, resource: r.URL.Path}
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		parts = parts[2:]
	}
	resource := parts[0]
	if len(parts) > 2 {
		resource += "/" + parts[2]
	}
	watch := r.URL.Query().Get("watch")
	return request{method: r.Method, resource: resource, watch: watch == "true" || watch == "1"}
}

type faultKey struct{}

// New returns a handler that passes requests on to the server by the plan of the way.
func New(server *url.URL, transport http.RoundTripper, way *Way) http.Handler {
	through := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(server) },
		Transport:     transport,
		FlushInterval: -1, // watches are told of each event at once
		ModifyResponse: func(answer *http.Response) error {
			switch answer.Request.Context().Value(faultKey{}) {
			case Lose:
				return errors.New("the answer is lost")
			case Tear:
				after := time.Duration(way.random() * float64(longestWatch))
				answer.Body = &torn{ReadCloser: answer.Body, timer: time.AfterFunc(after, func() { answer.Body.Close() })}
			}
			return nil
		},
		// A server that does not answer is a broken connection to the client, as it would be without this proxy.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     log.New(io.Discard, "", 0), // broken answers are what it is for
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what := parse(r)
		fault, split := way.decide(what)
		if split && what.resource == "leases" && ownLease(r) != nil {
			fault = Cut
		}
		switch fault {
		case Throttle:
			w.Header().Set("Retry-After", "1")
			refuse(w, http.StatusTooManyRequests, "TooManyRequests", "the proxy was told to throttle")
		case Fail:
			refuse(w, http.StatusInternalServerError, "InternalError", "the proxy was told to fail")
		case NoLog:
			refuse(w, http.StatusForbidden, "Forbidden", "the proxy was told to refuse logs")
		case Hang:
			io.Copy(io.Discard, r.Body) // only then the server notices that the client leaves
			<-r.Context().Done()
		case Cut:
			panic(http.ErrAbortHandler) // net/http's way to break a connection
		default:
			through.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), faultKey{}, fault)))
		}
	})
}

func refuse(w http.ResponseWriter, code int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(map[string]any{
		"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": "Failure",
		"code": code, "reason": reason, "message": message,
	})
}

// The Lease of a split side, and the one that its client believes to hold.
const leaseName, splitName = "coroner", "coroner-split"

// ownLease turns a request about the common Lease into one about the split side's own.
func ownLease(r *http.Request) error {
	if rest, found := strings.CutSuffix(r.URL.Path, "/leases/"+leaseName); found {
		r.URL.Path = rest + "/leases/" + splitName
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	body = bytes.ReplaceAll(body, []byte(`"name":"`+leaseName+`"`), []byte(`"name":"`+splitName+`"`))
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return nil
}

// torn is the answer of a watch that breaks off.
type torn struct {
	io.ReadCloser
	timer *time.Timer
}

func (t *torn) Close() error {
	t.timer.Stop()
	return t.ReadCloser.Close()
}
