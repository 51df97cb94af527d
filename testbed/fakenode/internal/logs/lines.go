package logs

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"coroner/testbed/fakenode/internal/script"
)

// Instance is one run of a container.
type Instance struct {
	ID       string // 64 hexadecimal digits
	Pod      string // UID
	Restart  int
	Started  time.Time
	Ends     time.Time    // when it ended or is going to; zero if it runs for good
	Stopped  time.Time    // when it was stopped before that; else zero
	Step     *script.Step // nil if it runs for good
	Template *Template    // nil if the step has none
	Silent   bool         // it never ran: the log is empty
}

// idlePace is how often a container that runs for good logs something.
const idlePace = 10 * time.Second

// Lines yields what the instance has printed until now, each line with its time and its newline, which the last one of a
// log may lack.
func (i *Instance) Lines(now time.Time) iter.Seq2[time.Time, string] {
	return func(yield func(time.Time, string) bool) {
		if i.Silent {
			return
		}
		if !i.Stopped.IsZero() && i.Stopped.Before(now) {
			now = i.Stopped
		}
		until := func(at time.Time, line string) bool { return !at.After(now) && yield(at, line) }
		start := fmt.Sprintf("START instance=%s container=%s pod=%s program=fake restart=%d\n", i.ID[:16], i.ID, i.Pod, i.Restart)
		if until(i.Started, start) && i.traffic(until) {
			i.lastWords(until)
		}
	}
}

// traffic yields ordinary lines spread evenly over the instance's life; it returns false when it was stopped.
func (i *Instance) traffic(yield func(time.Time, string) bool) bool {
	if i.Step == nil {
		for n := 1; ; n++ {
			if !i.request(n, i.Started.Add(time.Duration(n)*idlePace), yield) {
				return false
			}
		}
	}
	pace := i.Ends.Sub(i.Started) / time.Duration(i.Step.Lines+1)
	for n := 1; n <= i.Step.Lines; n++ {
		if !i.request(n, i.Started.Add(time.Duration(n)*pace), yield) {
			return false
		}
	}
	return true
}

func (i *Instance) request(n int, at time.Time, yield func(time.Time, string) bool) bool {
	return yield(at, fmt.Sprintf("level=info msg=\"request served\" instance=%s path=/orders/%d status=200 duration=%dms\n",
		i.ID[:16], 1000+n, 1+n*7%31))
}

func (i *Instance) lastWords(yield func(time.Time, string) bool) {
	text := i.Step.Text
	if text != "" {
		text += "\n"
	} else if i.Template != nil {
		text = i.Template.render(i.Step.Bug)
	}
	for line := range strings.Lines(text) {
		if !yield(i.Ends, line) {
			return
		}
	}
}
