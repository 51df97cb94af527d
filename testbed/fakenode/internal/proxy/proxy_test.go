package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// backend answers every request with its method, path and body, and remembers that it came.
type backend struct{ seen []string }

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.seen = append(b.seen, r.Method+" "+r.URL.Path)
	fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, body)
	http.NewResponseController(w).Flush()
	if r.URL.Query().Get("watch") == "true" {
		<-r.Context().Done()
	}
}

// between starts a backend and a proxy before it.
func between(t *testing.T, plan Plan) (*backend, *Way, string) {
	t.Helper()
	b := &backend{}
	behind := httptest.NewServer(b)
	t.Cleanup(behind.Close)
	server, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	way := NewWay(7)
	if err := way.Set(plan); err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(New(server, http.DefaultTransport, way))
	t.Cleanup(front.Close)
	return b, way, front.URL
}

func ask(t *testing.T, method, url, body string) (int, string, error) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

const (
	ledger = "/api/v1/namespaces/coroner/configmaps/ledger"
	lease  = "/apis/coordination.k8s.io/v1/namespaces/coroner/leases/coroner"
	podLog = "/api/v1/namespaces/shop/pods/p/log"
)

func TestWithoutAPlanEverythingGetsThrough(t *testing.T) {
	_, way, front := between(t, Plan{})
	code, text, err := ask(t, "PUT", front+ledger, "body")
	if code != 200 || err != nil || text != "PUT "+ledger+" body" {
		t.Errorf("%d %q %v", code, text, err)
	}
	if way.passed["PUT configmaps"] != 1 {
		t.Errorf("counted %v", way.passed)
	}
}

func TestRefusalsAreTheAPIServersAndNeverReachIt(t *testing.T) {
	for plan, want := range map[Plan]int{{Throttle: 1}: 429, {Fail: 1}: 500} {
		b, way, front := between(t, plan)
		code, text, _ := ask(t, "PUT", front+ledger, "{}")
		var status struct {
			Kind string
			Code int
		}
		if err := json.Unmarshal([]byte(text), &status); err != nil || status.Kind != "Status" || status.Code != want || code != want {
			t.Errorf("%+v: %d %q %v", plan, code, text, err)
		}
		if len(b.seen) != 0 || len(way.passed) != 0 {
			t.Errorf("%+v: it got through: %v", plan, b.seen)
		}
	}
}

func TestACutRequestNeverArrivesAndALostAnswerDid(t *testing.T) {
	b, _, front := between(t, Plan{Cut: 1})
	if _, _, err := ask(t, "PUT", front+ledger, "{}"); err == nil || len(b.seen) != 0 {
		t.Errorf("cut: %v, %v", err, b.seen)
	}
	b, way, front := between(t, Plan{Lose: 1})
	if _, _, err := ask(t, "PUT", front+ledger, "{}"); err == nil || len(b.seen) != 1 {
		t.Errorf("lost: %v, %v", err, b.seen)
	}
	if way.passed["PUT configmaps"] != 1 || way.struck["lose"] != 1 {
		t.Errorf("counted %v, %v", way.passed, way.struck)
	}
}

func TestAHangEndsWithItsClient(t *testing.T) {
	b, way, front := between(t, Plan{Hang: 1})
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, "PUT", front+ledger, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := http.DefaultClient.Do(request)
		done <- err
	}()
	for hung := int64(0); hung == 0; {
		way.mu.Lock()
		hung = way.struck["hang"]
		way.mu.Unlock()
	}
	cancel()
	if <-done == nil || len(b.seen) != 0 {
		t.Errorf("it was answered: %v", b.seen)
	}
}

func TestAWatchIsTornAndOtherRequestsAreNot(t *testing.T) {
	_, _, front := between(t, Plan{Tear: 1})
	if code, _, err := ask(t, "GET", front+"/api/v1/pods", ""); code != 200 || err != nil {
		t.Errorf("list: %d %v", code, err)
	}
	if _, text, err := ask(t, "GET", front+"/api/v1/pods?watch=true", ""); err == nil {
		t.Errorf("the watch came to a good end: %q", text)
	}
}

func TestLogsAreRefusedAlone(t *testing.T) {
	_, _, front := between(t, Plan{NoLogs: true})
	if code, _, _ := ask(t, "GET", front+podLog, ""); code != 403 {
		t.Errorf("log: %d", code)
	}
	if code, _, _ := ask(t, "GET", front+"/api/v1/namespaces/shop/pods/p", ""); code != 200 {
		t.Errorf("pod: %d", code)
	}
}

func TestASplitSideHasALeaseOfItsOwn(t *testing.T) {
	_, _, front := between(t, Plan{Split: true})
	_, text, err := ask(t, "PUT", front+lease, `{"metadata":{"name":"coroner","namespace":"coroner"}}`)
	if want := "PUT " + lease + `-split {"metadata":{"name":"coroner-split","namespace":"coroner"}}`; err != nil || text != want {
		t.Errorf("%q %v, want %q", text, err, want)
	}
}

func TestPathsAreRead(t *testing.T) {
	for path, want := range map[string]string{
		"/api/v1/pods?watch=true": "WATCH pods",
		"/api/v1/namespaces/shop": "GET namespaces",
		podLog + "?previous=true": "GET pods/log",
		"/apis/coroner.dev/v1alpha1/namespaces/shop/crashreports/r-1/status": "GET crashreports/status",
		"/apis/coroner.dev/v1alpha1/crashreports?limit=1":                    "GET crashreports",
		"/version": "GET /version",
	} {
		if got := parse(httptest.NewRequest("GET", path, nil)).String(); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestControlReplacesThePlanAndTellsWhatPassed(t *testing.T) {
	way := NewWay(1)
	post := func(body string) int {
		answer := httptest.NewRecorder()
		way.Control().ServeHTTP(answer, httptest.NewRequest("POST", "/", strings.NewReader(body)))
		return answer.Code
	}
	for _, wrong := range []string{`{"fail": 2}`, `{"fial": 1}`, `nothing`} {
		if code := post(wrong); code != 400 {
			t.Errorf("%s: %d, want 400", wrong, code)
		}
	}
	if code := post(`{"noLogs": true}`); code != 200 || !way.plan.NoLogs {
		t.Errorf("%d, %+v", code, way.plan)
	}
	way.decide(request{method: "GET", resource: "pods"})
	answer := httptest.NewRecorder()
	way.Control().ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	if !strings.Contains(answer.Body.String(), `"GET pods":1`) {
		t.Errorf("%s", answer.Body)
	}
}
