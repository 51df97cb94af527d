package play

import "time"

// Restore puts a new pod where its reported status says it was: this program may be restarted while its pods live on.
// What came between the report and now is played late, as after a kubelet's restart. It returns the endings reported.
func (p *Pod) Restore(status Status, now time.Time) (endings []*Ending) {
	if t, err := time.Parse(time.RFC3339, status.StartTime); err == nil {
		p.created = t
	}
	reported := append(status.InitContainerStatuses, status.ContainerStatuses...)
	for i := range reported {
		if c := p.find(reported[i].Name); c != nil {
			p.restore(c, &reported[i], now)
			for _, end := range []*Ending{c.last, c.end} {
				if end != nil {
					endings = append(endings, end)
				}
			}
		}
	}
	p.noteReadiness(now)
	return endings
}

func (p *Pod) restore(c *container, s *ContainerStatus, now time.Time) {
	c.restarts = s.RestartCount
	if last := s.LastState.Terminated; last != nil {
		c.played = s.RestartCount - 1
		if s.State.Waiting != nil {
			c.played = s.RestartCount // the restart is not counted before it happens
		}
		c.last = p.reported(c, last)
	}
	c.played = s.RestartCount
	switch {
	case s.State.Running != nil:
		c.run = p.instance(c, c.played, parseStamp(s.State.Running.StartedAt))
		c.state, c.played = running, c.played+1
		if c.run.Step != nil {
			c.next = later(c.run.Ends, now)
		}
	case s.State.Terminated != nil:
		c.end = p.reported(c, s.State.Terminated)
		c.run, c.state, c.played = c.end.instance, terminated, c.played+1
		if c.policy == "Always" || c.policy == "OnFailure" && c.end.Exit != 0 {
			c.next = now.Add(p.cfg.FirstRestart)
		}
	case c.last != nil: // it waits for its restart
		c.run, c.played = c.last.instance, c.played+1
		c.reason = "CrashLoopBackOff"
		c.next = now.Add(p.cfg.FirstRestart)
	}
}

// reported makes an ending of a termination in the status; its instance is the one of the container's played count.
func (p *Pod) reported(c *container, t *Terminated) *Ending {
	run := p.instance(c, c.played, parseStamp(t.StartedAt))
	if run.Step == nil {
		run.Step = initDone // it ended although its script says no such thing, so its words are unknown
	}
	run.Ends = parseStamp(t.FinishedAt)
	cause, culprit := causeOf(run)
	return &Ending{Container: c.Name, Kind: c.Kind, ID: t.ContainerID, Restart: c.played, Exit: t.ExitCode, Reason: t.Reason,
		Message: t.Message, Cause: cause, Culprit: culprit, Started: run.Started, Finished: run.Ends, instance: run}
}

func parseStamp(text string) time.Time {
	t, _ := time.Parse(time.RFC3339, text) // the API server has checked it
	return t
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
