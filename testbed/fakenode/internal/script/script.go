// Package script reads what a pod is to live through.
//
// A script is a list of steps, separated by ';' or line ends, each a list of key=value:
//
//	start=0s..5s; run=2s log=go-map-writes; run=1s exit=7 text="no ledger" restart=500ms; times=3
//
// Each step is one instance of the container: it runs, then ends as told, then is restarted if the pod's restart policy
// says so. After the last step the container runs for good. A step may have:
//
//	run=DUR       how long it runs
//	log=NAME      a log template, which also says the exit code, the reason and the cause unless they are given too
//	text=WORDS    last words instead of a template's
//	exit=N        exit code
//	reason=WORD   the kubelet's reason; without one Completed or Error, by the exit code
//	message=WORDS the termination message
//	cause=WORD    what a watcher should find out, for the truth
//	bug=N         which of the template's bugs: other N, other function names
//	lines=N       ordinary log lines before the end
//	restart=DUR   pause before the next instance; without one the kubelet's back-off
//	seen=last     the end is never shown as the current state, only as the last one, as the kubelet does when it kills
//	probe=KIND    killed by its liveness or startup probe: seen=last, with the Events of such a kill
//
// and a script, outside of its steps:
//
//	start=DUR     pause before the first instance
//	times=N       how often the steps are played, or "forever"
//	term=N        exit code when the pod is deleted; without one 0
//
// Durations may be ranges, 1s..3s.
package script

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Script is a container's whole life.
type Script struct {
	Start Range
	Steps []Step
	Times int
	Term  int // exit code on deletion
}

// Step is one instance. Pointers and empty strings mean "as the template says".
type Step struct {
	Run     Range
	Log     string
	Text    string
	Exit    *int
	Reason  string
	Message string
	Cause   string
	Bug     int
	Lines   int
	Restart *Range
	Hidden  bool // never in `state`
	Probe   string
}

// Forever is more often than anybody waits for.
const Forever = math.MaxInt32

const defaultLines = 20

// Length is how many instances end by themselves.
func (s *Script) Length() int {
	if len(s.Steps) == 0 {
		return 0
	}
	if s.Times >= Forever/len(s.Steps) {
		return Forever
	}
	return s.Times * len(s.Steps)
}

// At returns the step of the nth instance, counted from 0, or nil if that one runs for good.
func (s *Script) At(n int) *Step {
	if n >= s.Length() {
		return nil
	}
	return &s.Steps[n%len(s.Steps)]
}

// Parse reads a script. An empty one is a container that runs for good.
func Parse(text string) (*Script, error) {
	script := &Script{Times: 1}
	for number, part := range split(text) {
		words, err := fields(part)
		if err == nil {
			err = script.add(words)
		}
		if err != nil {
			return nil, fmt.Errorf("step %d, %q: %w", number+1, strings.TrimSpace(part), err)
		}
	}
	return script, nil
}

type word struct{ key, value string }

// add reads one part: a step if it says how long to run, else settings.
func (s *Script) add(words []word) error {
	step := Step{Lines: defaultLines}
	isStep := false
	for _, w := range words {
		var err error
		switch w.key {
		case "start":
			s.Start, err = parseRange(w.value)
		case "times":
			s.Times, err = parseTimes(w.value)
		case "term":
			s.Term, err = strconv.Atoi(w.value)
		default:
			isStep = true
			err = step.set(w)
		}
		if err != nil {
			return err
		}
	}
	if isStep {
		s.Steps = append(s.Steps, step)
	}
	return nil
}

func (s *Step) set(w word) (err error) {
	switch w.key {
	case "run":
		s.Run, err = parseRange(w.value)
	case "log":
		s.Log = w.value
	case "text":
		s.Text = w.value
	case "reason":
		s.Reason = w.value
	case "message":
		s.Message = w.value
	case "cause":
		s.Cause = w.value
	case "exit":
		s.Exit = new(int)
		*s.Exit, err = strconv.Atoi(w.value)
	case "bug":
		s.Bug, err = strconv.Atoi(w.value)
	case "lines":
		s.Lines, err = strconv.Atoi(w.value)
	case "restart":
		s.Restart = new(Range)
		*s.Restart, err = parseRange(w.value)
	case "seen":
		s.Hidden, err = true, oneOf(w.value, "last")
	case "probe":
		s.Hidden, s.Probe, err = true, w.value, oneOf(w.value, "liveness", "startup")
	default:
		err = fmt.Errorf("no key %q: want run, log, text, exit, reason, message, cause, bug, lines, restart, seen, probe, start, times or term", w.key)
	}
	return err
}

func oneOf(value string, allowed ...string) error {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return fmt.Errorf("%q is none of %s", value, strings.Join(allowed, ", "))
}

func parseTimes(text string) (int, error) {
	if text == "forever" {
		return Forever, nil
	}
	return strconv.Atoi(text)
}

// Range is a span of time between Min and Max.
type Range struct{ Min, Max time.Duration }

func parseRange(text string) (Range, error) {
	low, high, isRange := strings.Cut(text, "..")
	if !isRange {
		high = low
	}
	least, err := time.ParseDuration(low)
	if err != nil {
		return Range{}, err
	}
	most, err := time.ParseDuration(high)
	if err != nil {
		return Range{}, err
	}
	if least < 0 || most < least {
		return Range{}, fmt.Errorf("%q is no range: want LOW..HIGH, not below zero", text)
	}
	return Range{least, most}, nil
}

// Pick chooses a span by a number from 0 to below 1.
func (r Range) Pick(share float64) time.Duration {
	return r.Min + time.Duration(share*float64(r.Max-r.Min))
}
