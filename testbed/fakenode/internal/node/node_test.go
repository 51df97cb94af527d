package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coroner/testbed/fakenode/internal/logs"
	"coroner/testbed/fakenode/internal/play"
)

// start runs a kubelet for fake-1 until stop is called or the test ends.
func start(t *testing.T, a *api, truth *Truth) (k *Kubelet, stop func()) {
	t.Helper()
	library, err := logs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	cfg := &play.Config{FirstRestart: time.Millisecond, BaseBackoff: time.Millisecond, MaxBackoff: time.Millisecond, Logs: library}
	k = NewKubelet(Options{Client: a.client, Config: cfg, Truth: truth, Workers: 4, TermDelay: time.Millisecond})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); k.Run(ctx, []string{"fake-1"}) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return k, stop
}

func memory(t *testing.T) *Truth {
	t.Helper()
	truth, err := OpenTruth("")
	if err != nil {
		t.Fatal(err)
	}
	return truth
}

// await waits for a condition, however long the machine takes, up to a bound that only a defect reaches.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	const bound = 30 * time.Second
	limit, look := time.After(bound), time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-limit:
			t.Fatalf("gave up waiting for %s", what)
		}
	}
}

func written(a *api, n int) func() bool { return func() bool { return len(a.written()) >= n } }

func records(t *testing.T, truth *Truth) (list []Record) {
	t.Helper()
	var out bytes.Buffer
	if err := truth.Write(&out); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		var record Record
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		list = append(list, record)
	}
	return list
}

const threeCrashes = "run=2ms log=go-nil restart=2ms; times=3"

var itsHistory = "[p run 0 p end 0 exit 2 p run 1 p end 1 exit 2 p run 2 p end 2 exit 2 p run 3]"

func TestEveryStateOfAScriptIsPublishedInOrderAndInTheTruth(t *testing.T) {
	a, truth := newAPI(t), memory(t)
	a.set("p", "u1", threeCrashes, "Always")
	start(t, a, truth)
	await(t, "the script's end", written(a, 7))
	if got := fmt.Sprint(a.written()); got != itsHistory {
		t.Errorf("%s\nwant\n%s", got, itsHistory)
	}
	list := records(t, truth)
	if len(list) != 3 {
		t.Fatalf("%d records, want 3", len(list))
	}
	for i, r := range list {
		if r.Restart != i || r.Cause != "NilDereference" || r.Published == nil || r.Pod != "p" || r.UID != "u1" {
			t.Errorf("record %d: %+v", i, r)
		}
	}
}

func TestAnAPIServerThatIsAwayDelaysStatesAndLosesNone(t *testing.T) {
	a, truth := newAPI(t), memory(t)
	a.outage = 3
	a.set("p", "u1", threeCrashes, "Always")
	start(t, a, truth)
	await(t, "the first state", written(a, 1))
	a.mu.Lock()
	a.outage = 2
	a.mu.Unlock()
	await(t, "the script's end", written(a, 7))
	if got := fmt.Sprint(a.written()); got != itsHistory {
		t.Errorf("%s\nwant\n%s", got, itsHistory)
	}
}

func TestPodsThatComeLaterAreSeen(t *testing.T) {
	a := newAPI(t)
	k, _ := start(t, a, memory(t))
	a.set("first", "u1", "", "Always")
	await(t, "the first pod", written(a, 1))
	a.hangUp() // the next one comes while there is no watch
	a.set("second", "u2", "", "Always")
	await(t, "the second pod", written(a, 2))
	if k.Pods() != 2 {
		t.Errorf("%d pods, want 2", k.Pods())
	}
}

func TestADeletedPodIsStoppedAndThenConfirmed(t *testing.T) {
	a, truth := newAPI(t), memory(t)
	a.set("p", "u1", "term=2", "Always")
	k, _ := start(t, a, truth)
	await(t, "its start", written(a, 1))
	a.condemn("p")
	await(t, "its disappearance", func() bool { return k.Pods() == 0 })
	if got := fmt.Sprint(a.written()); got != "[p run 0 p end 0 exit 2]" {
		t.Error(got)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.pods) != 0 {
		t.Error("the deletion was not confirmed")
	}
	if list := records(t, truth); len(list) != 1 || !list[0].Deleting {
		t.Errorf("truth %+v", list)
	}
}

func TestAPodThatIsForcedAwayIsForgotten(t *testing.T) {
	a := newAPI(t)
	a.set("p", "u1", "run=1h exit=1", "Always")
	k, _ := start(t, a, memory(t))
	await(t, "its start", written(a, 1))
	if _, _, known := k.Log("shop", "p", "app", false, time.Now()); !known {
		t.Fatal("the pod has no log")
	}
	a.remove("p")
	await(t, "its removal", func() bool { _, _, known := k.Log("shop", "p", "app", false, time.Now()); return !known })
}

func TestANewPodOfTheSameNameIsAnother(t *testing.T) {
	a := newAPI(t)
	a.set("p", "u1", "run=2ms exit=1; times=1", "Never")
	k, _ := start(t, a, memory(t))
	await(t, "its end", written(a, 2))
	a.set("p", "u2", "run=1h exit=1", "Never")
	await(t, "the start of the other", written(a, 3))
	instance, _, _ := k.Log("shop", "p", "app", false, time.Now())
	if got := fmt.Sprint(a.written()); got != "[p run 0 p end 0 exit 1 p run 0]" || instance == nil || instance.Pod != "u2" {
		t.Errorf("%s, %+v", got, instance)
	}
}

func TestProbeKillsComeWithTheirEvents(t *testing.T) {
	a := newAPI(t)
	a.set("p", "u1", "run=2ms log=term probe=liveness", "Always")
	start(t, a, memory(t))
	await(t, "both events", func() bool { a.mu.Lock(); defer a.mu.Unlock(); return len(a.events) == 2 })
	if got := fmt.Sprint(a.events, a.written()); got != "[Unhealthy Killing] [p run 0 p run 1]" {
		t.Error(got)
	}
}

func TestAScriptThatCannotBeReadRunsForGood(t *testing.T) {
	a := newAPI(t)
	a.set("p", "u1", "run=1ms log=no-such-template", "Always")
	k, _ := start(t, a, memory(t))
	await(t, "its start", written(a, 1))
	instance, _, _ := k.Log("shop", "p", "app", false, time.Now())
	if instance == nil || instance.Step != nil {
		t.Errorf("%+v is going to end", instance)
	}
}

func TestARestartGoesOnAndTheTruthHasEachEndingOnce(t *testing.T) {
	a := newAPI(t)
	path := filepath.Join(t.TempDir(), "truth.jsonl")
	a.set("p", "u1", "run=2ms log=go-nil restart=2ms; times=20", "Always")
	for restarts := 1; len(a.written()) < 41; restarts++ {
		truth, err := OpenTruth(path)
		if err != nil {
			t.Fatal(err)
		}
		_, stop := start(t, a, truth)
		await(t, "some more states", written(a, min(restarts*9, 41)))
		stop()
	}
	loseTheEnd(t, path)
	truth, err := OpenTruth(path)
	if err != nil {
		t.Fatal(err)
	}
	k, _ := start(t, a, truth)
	await(t, "the pod", func() bool { return k.Pods() == 1 })
	seen := map[string]int{}
	for _, r := range records(t, truth) {
		if r.Published != nil {
			seen[fmt.Sprint(r.Restart, " ", r.Cause)]++
		}
	}
	if len(seen) != 20 {
		t.Errorf("%d endings in the truth, want 20: %v", len(seen), seen)
	}
	for what, n := range seen {
		if n != 1 {
			t.Errorf("%s is there %d times", what, n)
		}
	}
}

// loseTheEnd cuts the last line, as a kill between the status and the truth does.
func loseTheEnd(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
	kept := strings.Join(lines[:len(lines)-1], "")
	if err := os.WriteFile(path, []byte(kept), 0o600); err != nil {
		t.Fatal(err)
	}
}
