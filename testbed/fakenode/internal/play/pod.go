// Package play is the life of a fake pod: a state machine that turns a script and the time into what a kubelet would
// report. It does no I/O and reads no clock.
package play

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"coroner/testbed/fakenode/internal/logs"
	"coroner/testbed/fakenode/internal/script"
)

// Kind is a container's place in its pod.
type Kind string

const (
	Main    Kind = "main"
	Init    Kind = "init"
	Sidecar Kind = "sidecar" // an init container that restarts
)

// Config is how this kubelet behaves.
type Config struct {
	FirstRestart time.Duration // the first restart comes without back-off
	BaseBackoff  time.Duration
	MaxBackoff   time.Duration
	Relist       time.Duration // an end is noticed up to this much later
	Logs         logs.Library
}

// Spec is what matters of a pod object.
type Spec struct {
	Namespace, Name, UID string
	Node, IP             string
	RestartPolicy        string
	Containers           []ContainerSpec // init containers first, in order
}

// ContainerSpec is what matters of a container.
type ContainerSpec struct {
	Name, Image string
	Kind        Kind
	Script      *script.Script
}

// Pod is a pod at one moment.
type Pod struct {
	Spec
	cfg        *Config
	created    time.Time
	changed    time.Time // when readiness last changed
	ready      bool
	deleting   bool
	containers []*container
}

type state int

const (
	waiting state = iota
	running
	terminated
)

// container is one container at one moment.
type container struct {
	ContainerSpec
	policy   string
	state    state
	reason   string // why it waits
	message  string
	run      *logs.Instance // the newest instance; nil before the first
	end      *Ending        // how run ended, while that is the current state
	last     *Ending        // the one before, or run's own while it waits for a restart
	restarts int
	played   int       // instances begun
	backoffs int       // restarts that had to wait
	next     time.Time // when something happens by itself; zero if nothing will
}

// Ending is one termination.
type Ending struct {
	Container string    `json:"container"`
	Kind      Kind      `json:"kind"`
	ID        string    `json:"containerID"` // with its scheme
	Restart   int       `json:"restartCount"`
	Exit      int       `json:"exitCode"`
	Reason    string    `json:"reason"`
	Message   string    `json:"message,omitempty"`
	Cause     string    `json:"cause,omitempty"`   // what a watcher should call it
	Culprit   string    `json:"culprit,omitempty"` // file:line that a watcher should name
	Started   time.Time `json:"startedAt"`
	Finished  time.Time `json:"finishedAt"`
	Deleting  bool      `json:"deleting,omitempty"` // stopped because the pod goes
	Hidden    bool      `json:"hidden,omitempty"`   // never shown as the current state
	instance  *logs.Instance
}

// Event is what the kubelet tells of besides the status.
type Event struct{ Container, Type, Reason, Message string }

// Effects is what one step brought about.
type Effects struct {
	Endings []*Ending
	Events  []Event
}

// New returns a pod at its very beginning. Nothing runs before the first Advance.
func New(spec Spec, cfg *Config, now time.Time) *Pod {
	p := &Pod{Spec: spec, cfg: cfg, created: now, changed: now}
	for _, c := range spec.Containers {
		if c.Script == nil {
			c.Script = &script.Script{}
		}
		p.containers = append(p.containers, &container{ContainerSpec: c, policy: policy(spec.RestartPolicy, c.Kind), reason: p.firstReason()})
	}
	return p
}

// policy is the restart policy that holds for a container: init containers are done once they succeed.
func policy(ofPod string, kind Kind) string {
	switch {
	case kind == Sidecar:
		return "Always"
	case kind == Init && ofPod == "Always":
		return "OnFailure"
	}
	return ofPod
}

func (p *Pod) firstReason() string {
	if len(p.Spec.Containers) > 0 && p.Spec.Containers[0].Kind != Main {
		return "PodInitializing"
	}
	return "ContainerCreating"
}

// Next is when the pod changes by itself; zero if it never will.
func (p *Pod) Next() (next time.Time) {
	for _, c := range p.containers {
		if !c.next.IsZero() && (next.IsZero() || c.next.Before(next)) {
			next = c.next
		}
	}
	return next
}

// Advance does what is due.
func (p *Pod) Advance(now time.Time) Effects {
	var out Effects
	for _, c := range p.containers {
		if !c.next.IsZero() && !c.next.After(now) {
			p.step(c, now, &out)
		}
	}
	if !p.deleting {
		p.startReady(now, &out)
		p.stopSidecars(now, &out)
	}
	p.noteReadiness(now)
	return out
}

// Delete stops everything, as SIGTERM would.
func (p *Pod) Delete(now time.Time) Effects {
	var out Effects
	p.deleting = true
	for _, c := range p.containers {
		p.stop(c, now, &out)
		c.next = time.Time{}
	}
	p.noteReadiness(now)
	return out
}

// Deleting tells whether Delete was called.
func (p *Pod) Deleting() bool { return p.deleting }

func (p *Pod) step(c *container, now time.Time, out *Effects) {
	switch c.state {
	case waiting:
		p.begin(c, now, out)
	case running:
		p.finish(c, c.run.Ends, now, out)
	case terminated:
		if c.backoffs == 0 || c.run.Step.Restart != nil {
			p.begin(c, now, out)
			return
		}
		// The kubelet shows this only for a moment, at the end of the back-off.
		c.wait("CrashLoopBackOff", fmt.Sprintf("back-off %s restarting failed container=%s pod=%s_%s(%s)",
			p.backoff(c.backoffs), c.Name, p.Name, p.Namespace, p.UID))
		c.next = now.Add(flash)
	}
}

const (
	flash = 200 * time.Millisecond
	// A hidden end is followed by the next instance in the same status unless it has to wait longer than this.
	atOnce = 2 * time.Second
)

// wait puts a container between two instances.
func (c *container) wait(reason, message string) {
	c.state, c.reason, c.message = waiting, reason, message
	if c.end != nil {
		c.last, c.end = c.end, nil
	}
}

// begin starts the next instance.
func (p *Pod) begin(c *container, now time.Time, out *Effects) {
	if c.end != nil {
		c.last, c.end = c.end, nil
	}
	if c.run != nil {
		c.restarts++
	}
	c.run = p.instance(c, c.played, now)
	c.played++
	c.state, c.reason, c.message = running, "", ""
	c.next = time.Time{}
	if step := c.run.Step; step != nil {
		c.next = c.run.Ends.Add(time.Duration(p.share(c, "relist") * float64(p.cfg.Relist)))
		if c.run.Silent {
			p.finish(c, now, now, out)
		}
	}
}

// instance makes up the nth run of a container, counted from 0.
func (p *Pod) instance(c *container, n int, start time.Time) *logs.Instance {
	i := &logs.Instance{ID: p.id(c, n), Pod: p.UID, Restart: c.restarts, Started: start, Step: c.Script.At(n)}
	if i.Step == nil && c.Kind == Init {
		i.Step = initDone
	}
	if i.Step == nil {
		return i
	}
	i.Template = p.cfg.Logs[i.Step.Log]
	i.Silent = reasonOf(i) == startError
	i.Ends = start.Add(i.Step.Run.Pick(p.share(c, fmt.Sprint("run", n))))
	return i
}

// initDone is what an init container does when its script is over.
var initDone = &script.Step{Run: script.Range{Min: 50 * time.Millisecond, Max: 50 * time.Millisecond}, Exit: new(int)}

const startError = "StartError"

// finish ends the running instance at a moment that may be a little past.
func (p *Pod) finish(c *container, at, now time.Time, out *Effects) {
	end := p.ending(c, at)
	step := c.run.Step
	restart := c.policy == "Always" || c.policy == "OnFailure" && end.Exit != 0
	delay := p.delay(c, step, restart)
	if restart && step.Probe != "" {
		out.Events = append(out.Events, probeEvents(c.Name, step.Probe)...)
	}
	out.Endings = append(out.Endings, end)
	c.end, c.state = end, terminated
	c.next = time.Time{}
	if !restart {
		return
	}
	c.next = now.Add(delay)
	switch {
	case c.run.Silent:
		c.wait("RunContainerError", end.Message)
		end.Hidden = true
	case step.Hidden:
		end.Hidden = true
		c.wait("CrashLoopBackOff", "back-off restarting failed container="+c.Name)
		if delay < atOnce {
			p.begin(c, now, out)
		}
	}
}

// delay is how long the kubelet waits before the next instance.
func (p *Pod) delay(c *container, step *script.Step, restart bool) time.Duration {
	if !restart {
		return 0
	}
	if step.Restart != nil {
		return step.Restart.Pick(p.share(c, fmt.Sprint("restart", c.played)))
	}
	if c.restarts == 0 {
		return p.cfg.FirstRestart
	}
	c.backoffs++
	return p.backoff(c.backoffs)
}

// backoff doubles from the base up to the maximum.
func (p *Pod) backoff(n int) time.Duration {
	wait := p.cfg.BaseBackoff
	for ; n > 1 && wait < p.cfg.MaxBackoff; n-- {
		wait *= 2
	}
	return min(wait, p.cfg.MaxBackoff)
}

// startReady begins what has only waited for its turn: init containers one after the other, then the rest.
func (p *Pod) startReady(now time.Time, out *Effects) {
	open := true // whether all that comes before is done
	for _, c := range p.containers {
		if c.Kind == Main && !p.initialised() {
			return
		}
		if open && c.run == nil && c.next.IsZero() {
			c.next = now.Add(c.Script.Start.Pick(p.share(c, "start")))
			if !c.next.After(now) {
				p.begin(c, now, out)
			}
		}
		open = open && (c.Kind == Main || c.initialised())
	}
}

func (p *Pod) initialised() bool {
	for _, c := range p.containers {
		if c.Kind != Main && !c.initialised() {
			return false
		}
	}
	return true
}

// initialised tells whether an init container lets the next one start.
func (c *container) initialised() bool {
	if c.Kind == Sidecar {
		return c.run != nil && !c.run.Silent
	}
	return c.end != nil && c.end.Exit == 0
}

// stopSidecars ends them when the work of the pod is done.
func (p *Pod) stopSidecars(now time.Time, out *Effects) {
	if !p.worked() && !p.doomed() {
		return
	}
	for _, c := range p.containers {
		if c.Kind == Sidecar {
			p.stop(c, now, out)
			c.next = time.Time{}
		}
	}
}

// worked tells whether all main containers have ended for good.
func (p *Pod) worked() bool {
	for _, c := range p.containers {
		if c.Kind == Main && !c.over() {
			return false
		}
	}
	return true
}

// doomed tells whether an init container has failed for good, so that nothing after it ever runs.
func (p *Pod) doomed() bool {
	for _, c := range p.containers {
		if c.Kind == Init && c.over() && c.end.Exit != 0 {
			return true
		}
	}
	return false
}

// over tells whether a container has ended for good.
func (c *container) over() bool { return c.state == terminated && c.next.IsZero() }

// stop ends a running container by SIGTERM.
func (p *Pod) stop(c *container, now time.Time, out *Effects) {
	if c.state != running {
		return
	}
	run := *c.run // a reader may still hold the old one
	run.Stopped = now
	c.run, c.state = &run, terminated
	c.end = &Ending{
		Container: c.Name, Kind: c.Kind, ID: scheme + run.ID, Restart: c.restarts, Started: run.Started, Finished: now,
		Exit: c.Script.Term, Reason: reasonFor(c.Script.Term), Deleting: true, instance: &run,
	}
	out.Endings = append(out.Endings, c.end)
}

// id is a container ID: the same for the same instance, another for every other.
func (p *Pod) id(c *container, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d", p.UID, c.Name, n))
	return hex.EncodeToString(sum[:])
}

// share is a number from 0 to below 1 that depends on the container and the purpose alone, so that a script plays the
// same way again after this program was restarted.
func (p *Pod) share(c *container, purpose string) float64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d/%s", p.UID, c.Name, c.played, purpose))
	return float64(binary.BigEndian.Uint32(sum[:])) / (1 << 32)
}
