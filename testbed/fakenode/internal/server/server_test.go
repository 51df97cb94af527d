package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coroner/testbed/fakenode/internal/logs"
	"coroner/testbed/fakenode/internal/play"
	"coroner/testbed/fakenode/internal/script"
)

// shelf is a source with one container in one pod.
type shelf struct {
	instance *logs.Instance
	refused  *play.LogError
	previous bool // what it was asked for last
}

func (s *shelf) Log(namespace, pod, container string, previous bool, _ time.Time) (*logs.Instance, *play.LogError, bool) {
	s.previous = previous
	return s.instance, s.refused, namespace+"/"+pod+"/"+container == "shop/p/app"
}

func (s *shelf) Node(string, string) string { return "fake-1" }

// died is an instance that printed START, three requests and its last word, a minute ago.
func died() *logs.Instance {
	start := time.Now().Add(-time.Minute).Truncate(time.Second)
	return &logs.Instance{ID: strings.Repeat("ab", 32), Started: start, Ends: start.Add(4 * time.Second),
		Step: &script.Step{Lines: 3, Text: "the end"}}
}

func read(t *testing.T, handler http.Handler, path string) (int, string) {
	t.Helper()
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
	return answer.Code, answer.Body.String()
}

func kubelet(source Source) http.Handler { return Kubelet(source, NewFaults(new(atomic.Bool))) }

func TestTheQueryChoosesTheLines(t *testing.T) {
	instance := died()
	second := instance.Started.Add(2 * time.Second).UTC()
	handler := kubelet(&shelf{instance: instance})
	for query, want := range map[string]struct {
		lines int
		first string
		last  string
	}{
		"":                            {5, "START", "the end\n"},
		"?tailLines=2":                {2, "level=info", "the end\n"},
		"?tailLines=0":                {0, "", ""},
		"?tailLines=99":               {5, "START", "the end\n"},
		"?tailLines=1&limitBytes=5":   {0, "the e", "the e"},
		"?limitBytes=9":               {0, "START ins", "START ins"},
		"?tailLines=1&timestamps=1":   {1, second.Add(2 * time.Second).Format("2006-01-02T15:04:05.000000000Z"), " the end\n"},
		"?sinceSeconds=1":             {0, "", ""},
		"?sinceTime=" + stamp(second): {3, "level=info", "the end\n"},
	} {
		code, body := read(t, handler, "/containerLogs/shop/p/app"+query)
		if code != 200 || strings.Count(body, "\n") != want.lines || !strings.HasPrefix(body, want.first) || !strings.HasSuffix(body, want.last) {
			t.Errorf("%s: %d %q, want %d lines from %q to %q", query, code, body, want.lines, want.first, want.last)
		}
	}
}

func stamp(t time.Time) string { return t.Format(time.RFC3339) }

func TestPreviousIsPassedOn(t *testing.T) {
	s := &shelf{instance: died()}
	read(t, kubelet(s), "/containerLogs/shop/p/app?previous=true")
	if !s.previous {
		t.Error("previous=true was read as false")
	}
	read(t, kubelet(s), "/containerLogs/shop/p/app")
	if s.previous {
		t.Error("previous was not asked for")
	}
}

func TestErrorsAreTheKubelets(t *testing.T) {
	s := &shelf{refused: &play.LogError{Status: 400, Text: "previous terminated container \"app\" in pod \"p\" not found"}}
	for path, want := range map[string]string{
		"/containerLogs/shop/p/app?previous=true": `400 previous terminated container "app" in pod "p" not found`,
		"/containerLogs/shop/ghost/app":           "404 pod \"ghost\" does not exist\n",
		"/containerLogs/shop/p/app?tailLines=x":   "400 {\"message\": \"Unable to decode query.\"}\n",
	} {
		if code, body := read(t, kubelet(s), path); fmt.Sprint(code, " ", body) != want {
			t.Errorf("%s: %d %q, want %q", path, code, body, want)
		}
	}
}

func TestFollowDeliversLinesAsTheyComeAndEndsWithTheInstance(t *testing.T) {
	instance := died()
	instance.Started = time.Now().Add(-200 * time.Millisecond)
	instance.Ends = time.Now().Add(300 * time.Millisecond)
	server := httptest.NewServer(kubelet(&shelf{instance: instance}))
	defer server.Close()
	response, err := http.Get(server.URL + "/containerLogs/shop/p/app?follow=true&tailLines=1")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body) // returns only when the stream ends by itself
	if err != nil || !strings.HasSuffix(string(body), "the end\n") || strings.Contains(string(body), "START") {
		t.Errorf("%q, %v", body, err)
	}
}

func TestFollowEndsWhenTheInstanceIsReplaced(t *testing.T) {
	instance := died()
	instance.Started, instance.Step = time.Now(), nil // it runs for good
	s := &swap{first: instance, second: died()}
	server := httptest.NewServer(kubelet(s))
	defer server.Close()
	response, err := http.Get(server.URL + "/containerLogs/shop/p/app?follow=true")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(response.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	s.swapped.Store(true)
	if _, err := io.ReadAll(response.Body); err != nil {
		t.Error(err)
	}
}

type swap struct {
	first, second *logs.Instance
	swapped       atomic.Bool
}

func (s *swap) Log(string, string, string, bool, time.Time) (*logs.Instance, *play.LogError, bool) {
	if s.swapped.Load() {
		other := *s.second
		other.ID = strings.Repeat("cd", 32)
		return &other, nil, true
	}
	return s.first, nil, true
}

func (s *swap) Node(string, string) string { return "fake-1" }

func TestFaultsSpoilWhatTheyAreMeantFor(t *testing.T) {
	faults := NewFaults(new(atomic.Bool))
	handler := Kubelet(&shelf{instance: died()}, faults)
	control := Control(faults, none{}, func() int { return 3 })
	for plan, want := range map[string]string{
		`{"fail": 1}`:                       "500 the fake kubelet",
		`{"starting": 1}`:                   "404 pod \"p\" does not exist",
		`{"words": 1}`:                      "200 unable to retrieve container logs for containerd://",
		`{"fail": 1, "node": "fake-2"}`:     "200 START",
		`{"fail": 1, "namespace": "other"}`: "200 START",
		`{"delay": "1ms"}`:                  "200 START",
		`{}`:                                "200 START",
	} {
		if code := post(control, plan); code != 200 {
			t.Fatalf("%s: %d", plan, code)
		}
		if code, body := read(t, handler, "/containerLogs/shop/p/app"); !strings.HasPrefix(fmt.Sprint(code, " ", body), want) {
			t.Errorf("%s: %d %q, want %q", plan, code, body, want)
		}
	}
	for _, wrong := range []string{`{"fail": 2}`, `{"delay": "soon"}`, `{"fial": 1}`} {
		if code := post(control, wrong); code != 400 {
			t.Errorf("%s: %d, want 400", wrong, code)
		}
	}
}

func post(handler http.Handler, body string) int {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest("POST", "/control", strings.NewReader(body)))
	return answer.Code
}

type none struct{}

func (none) Write(out io.Writer) error { _, err := io.WriteString(out, "{}\n"); return err }
func (none) Len() int                  { return 7 }

func TestAHangEndsWithItsReader(t *testing.T) {
	faults := NewFaults(new(atomic.Bool))
	if err := faults.Set(Plan{Hang: 1}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	request := httptest.NewRequest("GET", "/containerLogs/shop/p/app", nil).WithContext(ctx)
	go func() {
		defer close(done)
		Kubelet(&shelf{instance: died()}, faults).ServeHTTP(httptest.NewRecorder(), request)
	}()
	cancel()
	<-done
}

func TestACutConnectionIsAnError(t *testing.T) {
	faults := NewFaults(new(atomic.Bool))
	if err := faults.Set(Plan{Cut: 1}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(Kubelet(&shelf{instance: died()}, faults))
	defer server.Close()
	response, err := http.Get(server.URL + "/containerLogs/shop/p/app")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("the broken answer was read to its end")
	}
}

func TestSharesAreProbabilities(t *testing.T) {
	rolls := []float64{0.9, 0.1}
	dice := func() float64 { roll := rolls[0]; rolls = rolls[1:]; return roll }
	if chosen(Plan{Hang: 0.5, Fail: 0.5}, dice) == nil || len(rolls) != 0 {
		t.Error("the first roll misses, the second hits")
	}
	if chosen(Plan{}, func() float64 { return 0 }) != nil {
		t.Error("a share of 0 struck")
	}
}

func TestControlTellsWhatWasPlayedAndPausesLeases(t *testing.T) {
	paused := new(atomic.Bool)
	control := Control(NewFaults(paused), none{}, func() int { return 3 })
	post(control, `{"pauseLeases": true}`)
	if !paused.Load() {
		t.Error("leases go on")
	}
	if _, body := read(t, control, "/truth"); body != "{}\n" {
		t.Errorf("truth %q", body)
	}
	var stats map[string]int
	_, body := read(t, control, "/stats")
	if err := json.Unmarshal([]byte(body), &stats); err != nil || stats["pods"] != 3 || stats["terminations"] != 7 {
		t.Errorf("stats %q, %v", body, err)
	}
	if _, body := read(t, control, "/control"); !strings.Contains(body, `"pauseLeases":true`) {
		t.Errorf("control %q", body)
	}
}
