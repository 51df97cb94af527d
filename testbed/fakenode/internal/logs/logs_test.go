package logs

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"coroner/testbed/fakenode/internal/script"
)

var born = time.Date(2026, 11, 25, 7, 50, 0, 250_000_000, time.UTC)

func library(t *testing.T) Library {
	t.Helper()
	library, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return library
}

func instance(t *testing.T, template string, step script.Step) *Instance {
	t.Helper()
	return &Instance{ID: strings.Repeat("ab", 32), Pod: "uid", Started: born, Ends: born.Add(2 * time.Second),
		Step: &step, Template: library(t)[template]}
}

func text(i *Instance, now time.Time) string {
	var out strings.Builder
	for _, line := range i.Lines(now) {
		out.WriteString(line)
	}
	return out.String()
}

func TestEveryTemplateRendersAndKnowsItsCause(t *testing.T) {
	for name, template := range library(t) {
		if template.Cause == "" {
			t.Errorf("%s has no cause", name)
		}
		if got := template.render(3); strings.Contains(got, "@{") || strings.Contains(got, "does not render") {
			t.Errorf("%s renders as %q", name, got)
		}
	}
}

func TestALogGrowsWithTimeAndEndsWithTheTrace(t *testing.T) {
	i := instance(t, "go-nil", script.Step{Lines: 3})
	if got := text(i, born.Add(-time.Second)); got != "" {
		t.Errorf("before it began: %q", got)
	}
	if got := text(i, born.Add(1200*time.Millisecond)); strings.Count(got, "\n") != 3 || strings.Contains(got, "panic") {
		t.Errorf("while it runs: %q, want START and two requests", got)
	}
	got := text(i, born.Add(time.Hour))
	if !strings.HasPrefix(got, "START instance=abababababababab container=abab") || strings.Count(got, "request served") != 3 ||
		!strings.Contains(got, "panic: runtime error: invalid memory address") {
		t.Errorf("at the end: %q", got)
	}
}

func TestTimesOfLinesLieWithinTheInstance(t *testing.T) {
	i := instance(t, "go-nil", script.Step{Lines: 50})
	last := i.Started
	for at := range i.Lines(born.Add(time.Hour)) {
		if at.Before(last) || at.After(i.Ends) {
			t.Fatalf("%s after %s, the instance ended %s", at, last, i.Ends)
		}
		last = at
	}
}

func TestTheWholeDumpHasItsGoroutines(t *testing.T) {
	got := text(instance(t, "go-map-writes-5000", script.Step{}), born.Add(time.Hour))
	if n := strings.Count(got, "[chan receive]"); n != 5000 {
		t.Errorf("%d parked goroutines, want 5000", n)
	}
}

func TestBugsDifferInNamesWithoutDigits(t *testing.T) {
	seen := map[string]bool{}
	for bug := range 1000 {
		name := bugName(bug)
		if seen[name] || strings.ContainsAny(name, "0123456789") {
			t.Fatalf("bug %d is called %q", bug, name)
		}
		seen[name] = true
	}
	got := text(instance(t, "go-map-writes", script.Step{Bug: 1}), born.Add(time.Hour))
	if !strings.Contains(got, "(*RegistryBravo).Touch") {
		t.Errorf("no bug 1 in %q", got)
	}
}

func TestOwnWordsWinOverATemplate(t *testing.T) {
	got := text(instance(t, "go-nil", script.Step{Text: "no ledger"}), born.Add(time.Hour))
	if !strings.HasSuffix(got, "\nno ledger\n") || strings.Contains(got, "panic") {
		t.Errorf("%q", got)
	}
}

func TestAnIdleContainerLogsNowAndThen(t *testing.T) {
	i := &Instance{ID: strings.Repeat("c", 64), Started: born}
	if got := strings.Count(text(i, born.Add(time.Minute)), "request served"); got != 6 {
		t.Errorf("%d requests in a minute, want 6", got)
	}
}

func TestAFolderAddsTemplatesAndMistakesAreNamed(t *testing.T) {
	l := library(t)
	err := l.Add(fstest.MapFS{"mine.log": {Data: []byte("#! exit=3 cause=X culprit=a.go:1\nlast words\n")}, "plain.log": {Data: []byte("just text")}})
	if err != nil || l["mine"].Exit != 3 || l["mine"].Culprit != "a.go:1" || l["plain"].render(0) != "just text" {
		t.Errorf("%+v, %v", l["mine"], err)
	}
	if err := l.Add(fstest.MapFS{"bad.log": {Data: []byte("#! exit=x\n")}}); err == nil || !strings.Contains(err.Error(), "bad.log") {
		t.Errorf("%v, want the file named", err)
	}
}
