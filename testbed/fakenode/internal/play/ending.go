package play

import (
	"fmt"
	"time"

	"coroner/testbed/fakenode/internal/logs"
)

const scheme = "containerd://"

// ending describes how the running instance ended.
func (p *Pod) ending(c *container, at time.Time) *Ending {
	run := c.run
	cause, culprit := causeOf(run)
	end := &Ending{
		Container: c.Name, Kind: c.Kind, ID: scheme + run.ID, Restart: c.restarts,
		Started: run.Started, Finished: at, instance: run,
		Exit: exitOf(run), Reason: reasonOf(run), Message: run.Step.Message, Cause: cause, Culprit: culprit,
	}
	if run.Silent {
		end.Started = time.Unix(0, 0).UTC()
		if end.Message == "" {
			end.Message = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: " +
				"unable to start container process: error during container init: exec: \"/no-such-command\": stat /no-such-command: no such file or directory"
		}
	}
	return end
}

// causeOf is what a watcher should find out.
func causeOf(run *logs.Instance) (cause, culprit string) {
	cause = run.Step.Cause
	if t := run.Template; t != nil {
		culprit = t.Culprit
		if cause == "" {
			cause = t.Cause
		}
	}
	return cause, culprit
}

func exitOf(run *logs.Instance) int {
	switch {
	case run.Step.Exit != nil:
		return *run.Step.Exit
	case run.Template != nil:
		return run.Template.Exit
	}
	return 1
}

func reasonOf(run *logs.Instance) string {
	switch {
	case run.Step.Reason != "":
		return run.Step.Reason
	case run.Template != nil && run.Template.Reason != "":
		return run.Template.Reason
	}
	return reasonFor(exitOf(run))
}

func reasonFor(exit int) string {
	if exit == 0 {
		return "Completed"
	}
	return "Error"
}

func probeEvents(container, probe string) []Event {
	name := map[string]string{"liveness": "Liveness", "startup": "Startup"}[probe]
	return []Event{
		{container, "Warning", "Unhealthy", name + " probe failed: HTTP probe failed with statuscode: 503"},
		{container, "Normal", "Killing", fmt.Sprintf("Container %s failed %s probe, will be restarted", container, probe)},
	}
}

// LogError is why there is no log. Status 200 means that the kubelet sends the text as if it were the log.
type LogError struct {
	Status int
	Text   string
}

// removal is how long the log of the instance before lasts after the newest one has died.
const removal = 100 * time.Millisecond

// Log finds the instance whose log a kubelet would serve, by the rules of its own status.
func (p *Pod) Log(name string, previous bool, now time.Time) (*logs.Instance, *LogError) {
	c := p.find(name)
	if c == nil {
		return nil, &LogError{404, fmt.Sprintf("container %q not found in pod %q", name, p.Name)}
	}
	switch {
	case previous && c.last == nil:
		return nil, &LogError{400, fmt.Sprintf("previous terminated container %q in pod %q not found", name, p.Name)}
	case previous:
		return c.unlessRemoved(now)
	case c.run != nil && c.state != waiting:
		return c.run, nil
	case c.last != nil:
		return c.last.instance, nil
	}
	return nil, &LogError{400, fmt.Sprintf("container %q in pod %q is waiting to start: %s", name, p.Name, c.reason)}
}

// unlessRemoved returns the last instance's log: it goes when a newer one has died, and only the status still names it.
func (c *container) unlessRemoved(now time.Time) (*logs.Instance, *LogError) {
	if c.end != nil && now.Sub(c.end.Finished) > removal {
		return nil, &LogError{200, "unable to retrieve container logs for " + c.last.ID}
	}
	return c.last.instance, nil
}

func (p *Pod) find(name string) *container {
	for _, c := range p.containers {
		if c.Name == name {
			return c
		}
	}
	return nil
}
