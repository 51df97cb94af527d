package node

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"coroner/testbed/fakenode/internal/kube"
	"coroner/testbed/fakenode/internal/play"
)

// handle does what is due for a pod and tells when it is to be handled again.
//
// A state is published before the next one is played, however long that takes: what a watcher could have seen is exactly
// what the truth lists, also when the API server is away for a while.
func (k *Kubelet) handle(ctx context.Context, e *entry) (next time.Time) {
	if e.stopped {
		return k.retry(e, k.confirm(ctx, e), time.Time{})
	}
	status := k.advance(e, time.Now())
	if e.dirty {
		if err := k.publish(ctx, e, status); err != nil {
			return k.retry(e, err, time.Time{})
		}
		e.dirty = false
		k.Truth.published(e.records, time.Now())
		e.records = nil
		k.tell(ctx, e)
	}
	if e.pod.Deleting() {
		e.stopped = true
		return time.Now().Add(k.TermDelay)
	}
	return k.retry(e, nil, e.pod.Next())
}

// advance plays the next state, unless the current one is still to be published.
func (k *Kubelet) advance(e *entry, now time.Time) play.Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !e.dirty {
		var effects play.Effects
		if e.deleting {
			effects = e.pod.Delete(now)
			e.dirty = len(effects.Endings) > 0 || !e.pod.Final()
		} else {
			effects = e.pod.Advance(now)
			e.dirty = true
		}
		e.records = k.Truth.add(e.pod, effects.Endings)
		e.events = effects.Events
	}
	return e.pod.Status()
}

// retry tells when to handle an entry again after an error; without one it is at next. What is gone is forgotten.
func (k *Kubelet) retry(e *entry, err error, next time.Time) time.Time {
	switch code := kube.Code(err); {
	case err == nil:
		e.failures = 0
		return next
	case code == http.StatusNotFound, code == http.StatusConflict:
		k.forget(e) // deleted by force, perhaps with another pod of that name in its place
		return time.Time{}
	case code == http.StatusUnprocessableEntity, code == http.StatusBadRequest:
		log.Printf("pod %s is given up: %v", e.key, err)
		k.forget(e)
		return time.Time{}
	}
	if e.failures == 0 {
		log.Printf("pod %s: %v (will be tried again)", e.key, err)
	}
	e.failures++
	const first, longest = 200 * time.Millisecond, 5 * time.Second
	return time.Now().Add(min(first<<min(e.failures-1, 6), longest))
}

// publish writes a pod's status. The UID is a precondition: a patch with another one is refused as a conflict.
func (k *Kubelet) publish(ctx context.Context, e *entry, status play.Status) error {
	patch := map[string]any{"metadata": kube.Meta{UID: e.uid}, "status": status}
	return k.Client.Do(ctx, http.MethodPatch, podPath(e.pod)+"/status", kube.MergePatch, patch, nil)
}

// confirm lets a deleted pod disappear.
func (k *Kubelet) confirm(ctx context.Context, e *entry) error {
	options := map[string]any{
		"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0, "preconditions": map[string]string{"uid": e.uid},
	}
	err := k.Client.Do(ctx, http.MethodDelete, podPath(e.pod), kube.JSON, options, nil)
	if err == nil {
		k.forget(e)
	}
	return err
}

// tell sends the events of a state. They are lossy on a real node too.
func (k *Kubelet) tell(ctx context.Context, e *entry) {
	for n, event := range e.events {
		now := time.Now().UTC()
		object := map[string]any{
			"apiVersion": "v1", "kind": "Event",
			"metadata": kube.Meta{Name: fmt.Sprintf("%s.%x%d", e.pod.Name, now.UnixNano(), n), Namespace: e.pod.Namespace},
			"involvedObject": map[string]string{
				"apiVersion": "v1", "kind": "Pod", "namespace": e.pod.Namespace, "name": e.pod.Name, "uid": e.uid,
				"fieldPath": "spec.containers{" + event.Container + "}",
			},
			"type": event.Type, "reason": event.Reason, "message": event.Message, "count": 1,
			"firstTimestamp": now.Format(time.RFC3339), "lastTimestamp": now.Format(time.RFC3339),
			"source":             map[string]string{"component": "kubelet", "host": e.pod.Node},
			"reportingComponent": "kubelet", "reportingInstance": e.pod.Node,
		}
		path := "/api/v1/namespaces/" + e.pod.Namespace + "/events"
		if err := k.Client.Do(ctx, http.MethodPost, path, kube.JSON, object, nil); err != nil {
			log.Printf("pod %s: event %s: %v", e.key, event.Reason, err)
		}
	}
	e.events = nil
}

func podPath(pod *play.Pod) string {
	return "/api/v1/namespaces/" + pod.Namespace + "/pods/" + pod.Name
}
