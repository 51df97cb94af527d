package script

import (
	"strings"
	"testing"
	"time"
)

func TestAScriptIsReadWhole(t *testing.T) {
	s, err := Parse("start=0s..5s; run=2s log=go-nil bug=3\nrun=1s..3s exit=7 text=\"no; \\\"ledger\\\"\" restart=500ms lines=2 reason=Error cause=ErrorExit message=\"a b\"; times=3; term=2")
	if err != nil {
		t.Fatal(err)
	}
	if s.Start != (Range{0, 5 * time.Second}) || s.Times != 3 || s.Term != 2 || len(s.Steps) != 2 || s.Length() != 6 {
		t.Fatalf("%+v", s)
	}
	first, second := s.Steps[0], s.Steps[1]
	if first.Log != "go-nil" || first.Bug != 3 || first.Exit != nil || first.Restart != nil || first.Lines != defaultLines {
		t.Errorf("first step %+v", first)
	}
	if *second.Exit != 7 || second.Text != `no; "ledger"` || second.Restart.Min != 500*time.Millisecond ||
		second.Lines != 2 || second.Message != "a b" || second.Cause != "ErrorExit" {
		t.Errorf("second step %+v", second)
	}
}

func TestStepsRepeatAndThenTheContainerRunsForGood(t *testing.T) {
	s, err := Parse("run=1s exit=1; run=2s exit=2; times=2")
	if err != nil {
		t.Fatal(err)
	}
	for n, code := range []int{1, 2, 1, 2} {
		if step := s.At(n); step == nil || *step.Exit != code {
			t.Errorf("instance %d: %+v, want exit %d", n, step, code)
		}
	}
	if s.At(4) != nil {
		t.Error("a fifth instance ends by itself")
	}
}

func TestAnEmptyScriptRunsForGood(t *testing.T) {
	s, err := Parse(" \n; ")
	if err != nil || s.At(0) != nil || s.Length() != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestForeverIsLong(t *testing.T) {
	s, err := Parse("run=1s exit=1; run=1s exit=1; times=forever")
	if err != nil || s.Length() != Forever || s.At(1_000_000) == nil {
		t.Errorf("length %d, %v", s.Length(), err)
	}
}

func TestAProbeKillIsHidden(t *testing.T) {
	s, err := Parse("run=1s exit=2 probe=liveness")
	if err != nil || !s.Steps[0].Hidden || s.Steps[0].Probe != "liveness" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"run=1s; ruin=2s":    `step 2, "ruin=2s": no key "ruin"`,
		"run":                `"run" is not key=value`,
		"run=soon":           `invalid duration "soon"`,
		"run=3s..1s":         "is no range",
		"run=1s text=\"open": "quotes of text do not close",
		"exit=two":           `parsing "two"`,
		"seen=never":         `"never" is none of last`,
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestRangesPickWithinTheirBounds(t *testing.T) {
	r := Range{time.Second, 3 * time.Second}
	if r.Pick(0) != time.Second || r.Pick(0.5) != 2*time.Second {
		t.Errorf("%s and %s, want 1s and 2s", r.Pick(0), r.Pick(0.5))
	}
}
