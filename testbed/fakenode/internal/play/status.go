package play

import (
	"strings"
	"time"
)

// Status is a pod's status as the API has it, as far as a kubelet writes it here.
type Status struct {
	Phase                 string            `json:"phase"`
	Conditions            []Condition       `json:"conditions"`
	HostIP                string            `json:"hostIP,omitempty"`
	HostIPs               []IP              `json:"hostIPs,omitempty"`
	PodIP                 string            `json:"podIP,omitempty"`
	PodIPs                []IP              `json:"podIPs,omitempty"`
	StartTime             string            `json:"startTime"`
	InitContainerStatuses []ContainerStatus `json:"initContainerStatuses,omitempty"`
	ContainerStatuses     []ContainerStatus `json:"containerStatuses,omitempty"`
}

type IP struct {
	IP string `json:"ip"`
}

type Condition struct {
	Type               string `json:"type"`
	Status             string `json:"status"`
	Reason             string `json:"reason,omitempty"`
	Message            string `json:"message,omitempty"`
	LastTransitionTime string `json:"lastTransitionTime"`
}

type ContainerStatus struct {
	Name         string `json:"name"`
	State        State  `json:"state"`
	LastState    State  `json:"lastState"`
	Ready        bool   `json:"ready"`
	Started      bool   `json:"started"`
	RestartCount int    `json:"restartCount"`
	Image        string `json:"image"`
	ImageID      string `json:"imageID"`
	ContainerID  string `json:"containerID,omitempty"`
}

type State struct {
	Waiting    *Waiting    `json:"waiting,omitempty"`
	Running    *Running    `json:"running,omitempty"`
	Terminated *Terminated `json:"terminated,omitempty"`
}

type Waiting struct {
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

type Running struct {
	StartedAt string `json:"startedAt"`
}

type Terminated struct {
	ExitCode    int    `json:"exitCode"`
	Reason      string `json:"reason,omitempty"`
	Message     string `json:"message,omitempty"`
	StartedAt   string `json:"startedAt"`
	FinishedAt  string `json:"finishedAt"`
	ContainerID string `json:"containerID,omitempty"`
}

// stamp is a time in the API's granularity, which is cut, not rounded, to the second.
func stamp(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// NodeIP is the address that every fake node has: that of the fake kubelet.
const NodeIP = "127.0.0.1"

// Status is what the kubelet reports now.
func (p *Pod) Status() Status {
	s := Status{
		Phase:      p.phase(),
		Conditions: p.conditions(),
		HostIP:     NodeIP, HostIPs: []IP{{NodeIP}},
		PodIP: p.IP, PodIPs: []IP{{p.IP}},
		StartTime: stamp(p.created),
	}
	for _, c := range p.containers {
		if c.Kind == Main {
			s.ContainerStatuses = append(s.ContainerStatuses, c.status())
		} else {
			s.InitContainerStatuses = append(s.InitContainerStatuses, c.status())
		}
	}
	return s
}

func (c *container) status() ContainerStatus {
	s := ContainerStatus{Name: c.Name, RestartCount: c.restarts, Image: c.Image}
	if c.run != nil {
		s.ContainerID = scheme + c.run.ID
		s.ImageID = "sha256:7e3b686f1d16288594a1ce03148aa8896dfa0c7381a34401239f9571657cb08c"
	}
	switch c.state {
	case waiting:
		s.State.Waiting = &Waiting{Reason: c.reason, Message: c.message}
	case running:
		s.State.Running = &Running{StartedAt: stamp(c.run.Started)}
		s.Started = true
	case terminated:
		s.State.Terminated = c.end.record()
	}
	if c.last != nil {
		s.LastState.Terminated = c.last.record()
	}
	s.Ready = c.ready()
	return s
}

// ready also counts an init container that is done.
func (c *container) ready() bool {
	return c.state == running && c.Kind != Init || c.Kind == Init && c.initialised()
}

func (e *Ending) record() *Terminated {
	return &Terminated{ExitCode: e.Exit, Reason: e.Reason, Message: e.Message,
		StartedAt: stamp(e.Started), FinishedAt: stamp(e.Finished), ContainerID: e.ID}
}

// phase follows the kubelet's rules: init containers first, then what the main ones do.
func (p *Pod) phase() string {
	if p.doomed() {
		return "Failed"
	}
	begun, failed, over := false, false, true
	for _, c := range p.containers {
		if c.Kind != Main {
			over = over && (c.Kind == Init || c.over())
			continue
		}
		begun = begun || c.run != nil
		over = over && (c.over() || p.deleting && c.state != running)
		failed = failed || c.failed()
	}
	switch {
	case over && (failed || !begun):
		return "Failed"
	case over:
		return "Succeeded"
	case begun:
		return "Running"
	}
	return "Pending"
}

// failed looks at the newest end, wherever it is kept.
func (c *container) failed() bool {
	if c.end != nil {
		return c.end.Exit != 0
	}
	return c.state == waiting && c.last != nil && c.last.Exit != 0
}

// Final tells whether the pod has ended for good.
func (p *Pod) Final() bool { phase := p.phase(); return phase == "Failed" || phase == "Succeeded" }

// noteReadiness remembers when the pod became ready or stopped being so.
func (p *Pod) noteReadiness(now time.Time) {
	if ready := len(p.unready()) == 0; ready != p.ready {
		p.ready, p.changed = ready, now
	}
}

// unready lists the containers that keep the pod from being ready.
func (p *Pod) unready() (names []string) {
	for _, c := range p.containers {
		if c.Kind != Init && !c.ready() {
			names = append(names, c.Name)
		}
	}
	return names
}

func (p *Pod) conditions() []Condition {
	since := stamp(p.created)
	scheduled := Condition{Type: "PodScheduled", Status: "True", LastTransitionTime: since}
	sandbox := Condition{Type: "PodReadyToStartContainers", Status: truth(!p.Final()), LastTransitionTime: since}
	initialised := Condition{Type: "Initialized", Status: truth(p.initialised()), LastTransitionTime: since}
	ready := Condition{Type: "Ready", Status: truth(p.ready), LastTransitionTime: stamp(p.changed)}
	switch phase := p.phase(); {
	case phase == "Failed" || phase == "Succeeded":
		ready.Reason = map[string]string{"Failed": "PodFailed", "Succeeded": "PodCompleted"}[phase]
	case !p.ready:
		ready.Reason = "ContainersNotReady"
		ready.Message = "containers with unready status: [" + strings.Join(p.unready(), " ") + "]"
	}
	all := ready
	all.Type = "ContainersReady"
	return []Condition{sandbox, initialised, ready, all, scheduled}
}

func truth(yes bool) string {
	if yes {
		return "True"
	}
	return "False"
}
