package node

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"coroner/testbed/fakenode/internal/kube"
	"coroner/testbed/fakenode/internal/logs"
	"coroner/testbed/fakenode/internal/play"
	"coroner/testbed/fakenode/internal/script"
)

// Options is what a kubelet works with.
type Options struct {
	Client    *kube.Client
	Config    *play.Config
	Truth     *Truth
	Workers   int           // how many requests at once
	TermDelay time.Duration // between the end of a deleted pod and its disappearance
}

// Kubelet plays the pods of all fake nodes.
type Kubelet struct {
	Options

	mu      sync.Mutex
	pods    map[string]*entry // by namespace/name
	scripts map[string]*script.Script
	queue   queue
	wake    chan struct{}
	work    chan *entry
}

// NewKubelet returns a kubelet that has no pods yet.
func NewKubelet(options Options) *Kubelet {
	return &Kubelet{
		Options: options,
		pods:    map[string]*entry{}, scripts: map[string]*script.Script{},
		wake: make(chan struct{}, 1), work: make(chan *entry),
	}
}

// Run works until the context ends.
func (k *Kubelet) Run(ctx context.Context, nodes []string) {
	var all sync.WaitGroup
	start := func(job func()) {
		all.Add(1)
		go func() { defer all.Done(); job() }()
	}
	for range k.Workers {
		start(func() { k.labour(ctx) })
	}
	for _, name := range nodes {
		start(func() { k.follow(ctx, name) })
	}
	k.dispatch(ctx)
	all.Wait()
}

// dispatch hands entries to the workers when they are due.
func (k *Kubelet) dispatch(ctx context.Context) {
	for {
		e, wait := k.pop(time.Now())
		if e != nil {
			select {
			case k.work <- e:
			case <-ctx.Done():
				return
			}
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-k.wake:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// pop returns a due entry, or how long to wait for one.
func (k *Kubelet) pop(now time.Time) (*entry, time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.queue) == 0 {
		return nil, time.Hour
	}
	if wait := k.queue[0].due.Sub(now); wait > 0 {
		return nil, wait
	}
	e := heap.Pop(&k.queue).(*entry)
	e.busy = true
	return e, 0
}

func (k *Kubelet) labour(ctx context.Context) {
	for {
		select {
		case e := <-k.work:
			k.release(e, k.handle(ctx, e))
		case <-ctx.Done():
			return
		}
	}
}

// release takes an entry back from a worker. It is due again at next, unless that is zero.
func (k *Kubelet) release(e *entry, next time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e.busy = false
	if !e.again.IsZero() && (next.IsZero() || e.again.Before(next)) {
		next = e.again
	}
	e.again = time.Time{}
	k.want(e, next)
}

// want makes an entry due at a time. The lock is held.
func (k *Kubelet) want(e *entry, at time.Time) {
	switch {
	case e.gone || at.IsZero():
	case e.busy:
		if e.again.IsZero() || at.Before(e.again) {
			e.again = at
		}
	default:
		k.queue.at(e, at)
		select {
		case k.wake <- struct{}{}:
		default: // it is awake already
		}
	}
}

// forget drops an entry for good.
func (k *Kubelet) forget(e *entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dropLocked(e)
}

func (k *Kubelet) dropLocked(e *entry) {
	e.gone = true
	k.queue.drop(e)
	if k.pods[e.key] == e {
		delete(k.pods, e.key)
	}
}

// Log finds the log of a container. The third result is false if there is no such pod.
func (k *Kubelet) Log(namespace, pod, container string, previous bool, now time.Time) (*logs.Instance, *play.LogError, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, known := k.pods[namespace+"/"+pod]
	if !known {
		return nil, nil, false
	}
	instance, err := e.pod.Log(container, previous, now)
	return instance, err, true
}

// Node tells on which node a pod is; empty if there is no such pod.
func (k *Kubelet) Node(namespace, pod string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e, known := k.pods[namespace+"/"+pod]; known {
		return e.pod.Node
	}
	return ""
}

// Pods is how many there are.
func (k *Kubelet) Pods() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.pods)
}
