package play

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"coroner/testbed/fakenode/internal/logs"
	"coroner/testbed/fakenode/internal/script"
)

var dawn = time.Date(2026, 11, 25, 7, 50, 0, 300_000_000, time.UTC)

// stage is a pod and its clock.
type stage struct {
	t   *testing.T
	pod *Pod
	now time.Time
	all []*Ending
}

func one(script string) map[string]string { return map[string]string{"app": script} }

// play makes a pod; container names that begin with init or side say their kind.
func play(t *testing.T, policy string, order []string, scripts map[string]string) *stage {
	t.Helper()
	library, err := logs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	cfg := &Config{FirstRestart: 500 * time.Millisecond, BaseBackoff: 10 * time.Second, MaxBackoff: 5 * time.Minute, Logs: library}
	spec := Spec{Namespace: "shop", Name: "p", UID: "uid-1", RestartPolicy: policy, IP: "100.64.0.1"}
	for _, name := range order {
		parsed, err := script.Parse(scripts[name])
		if err != nil {
			t.Fatal(err)
		}
		kind := Main
		if strings.HasPrefix(name, "init") {
			kind = Init
		} else if strings.HasPrefix(name, "side") {
			kind = Sidecar
		}
		spec.Containers = append(spec.Containers, ContainerSpec{Name: name, Image: "x:1", Kind: kind, Script: parsed})
	}
	s := &stage{t: t, pod: New(spec, cfg, dawn), now: dawn}
	s.keep(s.pod.Advance(dawn))
	return s
}

func (s *stage) keep(effects Effects) Effects {
	s.all = append(s.all, effects.Endings...)
	return effects
}

// next moves the clock to the next thing that happens.
func (s *stage) next() Effects {
	s.t.Helper()
	at := s.pod.Next()
	if at.IsZero() {
		s.t.Fatal("nothing is going to happen")
	}
	s.now = at
	return s.keep(s.pod.Advance(at))
}

// line sums a pod up as the recordings' timelines do.
func (s *stage) line() string {
	status := s.pod.Status()
	text := status.Phase
	for _, c := range append(status.InitContainerStatuses, status.ContainerStatuses...) {
		text += fmt.Sprintf(" | %s rc=%d %s last=%s", c.Name, c.RestartCount, brief(c.State), brief(c.LastState))
	}
	return text
}

func brief(s State) string {
	switch {
	case s.Waiting != nil:
		return "wait:" + s.Waiting.Reason
	case s.Running != nil:
		return "run"
	case s.Terminated != nil:
		return fmt.Sprintf("%s/%d", s.Terminated.Reason, s.Terminated.ExitCode)
	}
	return "-"
}

func (s *stage) wants(lines ...string) {
	s.t.Helper()
	for i, want := range lines {
		if i > 0 {
			s.next()
		}
		if got := s.line(); got != want {
			s.t.Fatalf("step %d at +%s:\n%s\nwant\n%s", i, s.now.Sub(dawn), got, want)
		}
	}
}

func TestACrashLoopLooksAsTheKubeletShowsIt(t *testing.T) {
	s := play(t, "Always", []string{"app"}, one("run=2s log=go-nil; times=3"))
	s.wants(
		"Running | app rc=0 run last=-",
		"Running | app rc=0 Error/2 last=-",
		"Running | app rc=1 run last=Error/2",
		"Running | app rc=1 Error/2 last=Error/2",
		"Running | app rc=1 wait:CrashLoopBackOff last=Error/2",
		"Running | app rc=2 run last=Error/2",
		"Running | app rc=2 Error/2 last=Error/2",
		"Running | app rc=2 wait:CrashLoopBackOff last=Error/2",
		"Running | app rc=3 run last=Error/2",
	)
	if !s.pod.Next().IsZero() {
		t.Error("after its script the container does not run for good")
	}
	if got := s.now.Sub(dawn); got < 36*time.Second || got > 38*time.Second {
		t.Errorf("three runs of 2 s with back-offs of 0.5, 10 and 20 s took %s", got)
	}
	if len(s.all) != 3 || s.all[0].Cause != "NilDereference" || s.all[0].Culprit != "orders.go:59" || s.all[2].Restart != 2 {
		t.Errorf("endings %+v", s.all)
	}
}

func TestEveryInstanceHasAContainerIDOfItsOwn(t *testing.T) {
	s := play(t, "Always", []string{"app"}, one("run=1s exit=1 restart=1s; times=50"))
	seen := map[string]bool{}
	for len(s.all) < 50 {
		s.next()
	}
	for _, end := range s.all {
		if seen[end.ID] || len(end.ID) != len(scheme)+64 {
			t.Fatalf("%q is no new container ID", end.ID)
		}
		seen[end.ID] = true
	}
}

func TestThePauseOfAStepReplacesTheBackOff(t *testing.T) {
	s := play(t, "Always", []string{"app"}, one("run=1s exit=1 restart=700ms; times=2"))
	s.wants("Running | app rc=0 run last=-", "Running | app rc=0 Error/1 last=-", "Running | app rc=1 run last=Error/1",
		"Running | app rc=1 Error/1 last=Error/1", "Running | app rc=2 run last=Error/1")
	if got := s.now.Sub(dawn); got != 3400*time.Millisecond {
		t.Errorf("%s, want twice 1 s and 0.7 s", got)
	}
}

func TestRestartPolicies(t *testing.T) {
	for _, c := range []struct{ policy, script, want string }{
		{"Never", "run=1s exit=1", "Failed | app rc=0 Error/1 last=-"},
		{"Never", "run=1s exit=0", "Succeeded | app rc=0 Completed/0 last=-"},
		{"OnFailure", "run=1s exit=0", "Succeeded | app rc=0 Completed/0 last=-"},
	} {
		s := play(t, c.policy, []string{"app"}, one(c.script))
		s.wants("Running | app rc=0 run last=-", c.want)
		if !s.pod.Next().IsZero() || !s.pod.Final() {
			t.Errorf("%s, %s: the pod is not over", c.policy, c.script)
		}
	}
	s := play(t, "Always", []string{"app"}, one("run=1s log=clean"))
	s.wants("Running | app rc=0 run last=-", "Running | app rc=0 Completed/0 last=-", "Running | app rc=1 run last=Completed/0")
}

func TestOneContainerOfAFinishedPairKeepsThePodRunning(t *testing.T) {
	s := play(t, "Never", []string{"a", "b"}, map[string]string{"a": "run=1s exit=3", "b": "run=2s exit=0"})
	s.wants("Running | a rc=0 run last=- | b rc=0 run last=-", "Running | a rc=0 Error/3 last=- | b rc=0 run last=-",
		"Failed | a rc=0 Error/3 last=- | b rc=0 Completed/0 last=-")
}

func TestTwoContainersThatDieTogetherAreOneStep(t *testing.T) {
	s := play(t, "Always", []string{"a", "b"}, map[string]string{"a": "run=2s exit=1", "b": "run=2s exit=2"})
	if got := s.next().Endings; len(got) != 2 {
		t.Errorf("%d endings in one step, want 2", len(got))
	}
}

func TestAFailingInitContainerKeepsThePodPending(t *testing.T) {
	s := play(t, "Always", []string{"init", "app"}, map[string]string{"init": "run=1s log=missing-env restart=1s"})
	s.wants(
		"Pending | init rc=0 run last=- | app rc=0 wait:PodInitializing last=-",
		"Pending | init rc=0 Error/1 last=- | app rc=0 wait:PodInitializing last=-",
		"Pending | init rc=1 run last=Error/1 | app rc=0 wait:PodInitializing last=-",
		"Running | init rc=1 Completed/0 last=Error/1 | app rc=0 run last=-",
	)
}

func TestAnInitContainerThatMayNotRestartFailsThePod(t *testing.T) {
	s := play(t, "Never", []string{"init", "app"}, map[string]string{"init": "run=1s exit=4"})
	s.wants("Pending | init rc=0 run last=- | app rc=0 wait:PodInitializing last=-",
		"Failed | init rc=0 Error/4 last=- | app rc=0 wait:PodInitializing last=-")
}

func TestASidecarRestartsBesideItsMainContainer(t *testing.T) {
	s := play(t, "Never", []string{"side", "app"}, map[string]string{"side": "run=1s log=go-nil restart=1s; term=2", "app": "run=5s exit=0"})
	s.wants(
		"Running | side rc=0 run last=- | app rc=0 run last=-",
		"Running | side rc=0 Error/2 last=- | app rc=0 run last=-",
		"Running | side rc=1 run last=Error/2 | app rc=0 run last=-",
		"Succeeded | side rc=1 Error/2 last=Error/2 | app rc=0 Completed/0 last=-",
	)
	if last := s.all[len(s.all)-1]; last.Container != "side" || !last.Deleting || last.Cause != "" {
		t.Errorf("the sidecar that was only stopped ended as %+v", last)
	}
}

func TestAProbeKillIsOnlyEverInTheLastState(t *testing.T) {
	s := play(t, "Always", []string{"app"}, one("run=5s log=term probe=liveness; times=2"))
	s.wants("Running | app rc=0 run last=-", "Running | app rc=1 run last=Error/2")
	effects := s.next()
	if got := s.line(); got != "Running | app rc=1 wait:CrashLoopBackOff last=Error/2" {
		t.Errorf("the second kill has to wait: %s", got)
	}
	if len(effects.Events) != 2 || effects.Events[0].Reason != "Unhealthy" || effects.Events[1].Message != "Container app failed liveness probe, will be restarted" {
		t.Errorf("events %+v", effects.Events)
	}
	if !s.all[0].Hidden || !s.all[1].Hidden {
		t.Error("the kills are not marked hidden")
	}
}

func TestAStartErrorWaitsWithItsRecordBehindIt(t *testing.T) {
	s := play(t, "Always", []string{"app"}, one("run=0s log=start-error; times=2"))
	s.wants("Running | app rc=0 wait:RunContainerError last=StartError/128",
		"Running | app rc=1 wait:RunContainerError last=StartError/128", "Running | app rc=2 run last=StartError/128")
	record := s.all[0].record()
	if record.StartedAt != "1970-01-01T00:00:00Z" || !strings.Contains(record.Message, "OCI runtime create failed") {
		t.Errorf("record %+v", record)
	}
	if instance, err := s.pod.Log("app", true, s.now); err != nil || len(text(instance, s.now)) != 0 {
		t.Errorf("its log is not empty: %v", err)
	}
	never := play(t, "Never", []string{"app"}, one("run=0s log=start-error"))
	never.wants("Failed | app rc=0 StartError/128 last=-")
}

func text(instance *logs.Instance, now time.Time) string {
	var out strings.Builder
	for _, line := range instance.Lines(now) {
		out.WriteString(line)
	}
	return out.String()
}

func TestStartTimesComeBeforeTheFirstInstance(t *testing.T) {
	s := play(t, "Always", []string{"app"}, one("start=3s; run=1s exit=1"))
	s.wants("Pending | app rc=0 wait:ContainerCreating last=-", "Running | app rc=0 run last=-")
	if s.now.Sub(dawn) != 3*time.Second {
		t.Errorf("started after %s", s.now.Sub(dawn))
	}
}

func TestDeletionStopsWhatRunsAndInventsNothing(t *testing.T) {
	s := play(t, "Always", []string{"a", "b"}, map[string]string{"a": "term=2", "b": "run=1s exit=7 restart=1h"})
	s.next()
	effects := s.keep(s.pod.Delete(s.now))
	if got := s.line(); got != "Failed | a rc=0 Error/2 last=- | b rc=0 Error/7 last=-" {
		t.Error(got)
	}
	if len(effects.Endings) != 1 || !effects.Endings[0].Deleting || !s.pod.Next().IsZero() {
		t.Errorf("endings %+v, next %s", effects.Endings, s.pod.Next())
	}
	log := text(mustLog(t, s, "a", false), s.now.Add(time.Hour))
	if !strings.HasPrefix(log, "START") || strings.Contains(log, "request served") {
		t.Errorf("a log of 1 s holds %q", log)
	}
}

func mustLog(t *testing.T, s *stage, name string, previous bool) *logs.Instance {
	t.Helper()
	instance, err := s.pod.Log(name, previous, s.now)
	if err != nil {
		t.Fatalf("%s, previous %v: %+v", name, previous, err)
	}
	return instance
}

// TestTheRightLogDependsOnTheStatus goes through one crash loop and asks at each state for both logs.
func TestTheRightLogDependsOnTheStatus(t *testing.T) {
	s := play(t, "Always", []string{"app"}, one("run=2s log=go-nil; times=3"))
	ids := []string{s.pod.id(s.pod.containers[0], 0), s.pod.id(s.pod.containers[0], 1)}
	check := func(when string, previous bool, want string) {
		t.Helper()
		instance, err := s.pod.Log("app", previous, s.now)
		got := ""
		if err != nil {
			got = fmt.Sprint(err.Status, " ", err.Text)
		} else {
			got = instance.ID
		}
		if got != want {
			t.Errorf("%s, previous %v: %s, want %s", when, previous, got, want)
		}
	}
	none := `400 previous terminated container "app" in pod "p" not found`
	check("first run", true, none)
	check("first run", false, ids[0])
	s.next()
	check("first end", true, none)
	check("first end", false, ids[0])
	s.next()
	check("second run", true, ids[0])
	check("second run", false, ids[1])
	s.next()
	check("second end, at once", true, ids[0])
	check("second end, at once", false, ids[1])
	s.now = s.now.Add(time.Second)
	check("second end, a second later", true, "200 unable to retrieve container logs for containerd://"+ids[0])
	check("second end, a second later", false, ids[1])
	s.next()
	check("end of the back-off", true, ids[1])
	check("end of the back-off", false, ids[1])
}

func TestLogsThatCannotBe(t *testing.T) {
	s := play(t, "Always", []string{"app"}, one("start=1h"))
	for name, want := range map[string]LogError{
		"app":  {400, `container "app" in pod "p" is waiting to start: ContainerCreating`},
		"nope": {404, `container "nope" not found in pod "p"`},
	} {
		if _, err := s.pod.Log(name, false, s.now); err == nil || *err != want {
			t.Errorf("%s: %+v, want %+v", name, err, want)
		}
	}
}

func TestReadinessFollowsTheContainers(t *testing.T) {
	s := play(t, "Always", []string{"app"}, one("run=2s exit=1 restart=1s"))
	ready := func() Condition { return s.pod.Status().Conditions[2] }
	if got := ready(); got.Status != "True" || got.Type != "Ready" {
		t.Errorf("running: %+v", got)
	}
	s.next()
	if got := ready(); got.Status != "False" || got.Message != "containers with unready status: [app]" || got.LastTransitionTime != stamp(s.now) {
		t.Errorf("ended: %+v", got)
	}
}

// TestARestartOfThisProgramChangesNothing restores a copy from the reported status at every step of several lives and
// compares how both go on.
func TestARestartOfThisProgramChangesNothing(t *testing.T) {
	for _, life := range []string{
		"run=2s log=go-nil restart=3s; run=1s log=oom restart=1s; times=3",
		"run=2s log=go-nil; times=4",
		"run=1s log=term probe=liveness; times=3",
		"run=0s log=start-error restart=2s; times=2",
	} {
		s := play(t, "Always", []string{"app"}, one(life))
		for steps := 0; !s.pod.Next().IsZero() && steps < 12; steps++ {
			copied := New(s.pod.Spec, s.pod.cfg, s.now)
			copied.Restore(over(t, s.pod.Status()), s.now)
			if got, want := asJSON(t, copied.Status().ContainerStatuses), asJSON(t, s.pod.Status().ContainerStatuses); got != want &&
				!strings.Contains(want, "CrashLoopBackOff") && !strings.Contains(want, "RunContainerError") { // only their words differ
				t.Fatalf("%s, step %d:\n%s\nwant\n%s", life, steps, got, want)
			}
			other := &stage{t: t, pod: copied, now: s.now}
			for copied.containers[0].state != running {
				other.next()
			}
			for s.pod.containers[0].state != running {
				s.next()
			}
			if got, want := copied.containers[0].run.ID, s.pod.containers[0].run.ID; got != want {
				t.Fatalf("%s, step %d: goes on with %s, want %s", life, steps, got, want)
			}
			if s.pod.Next().IsZero() {
				break
			}
			s.next()
		}
	}
}

// over sends a status through the API and back.
func over(t *testing.T, status Status) (back Status) {
	t.Helper()
	if err := json.Unmarshal([]byte(asJSON(t, status)), &back); err != nil {
		t.Fatal(err)
	}
	return back
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
