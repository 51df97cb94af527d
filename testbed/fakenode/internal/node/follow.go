package node

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"log"
	"net/http"
	"net/url"
	"time"

	"coroner/testbed/fakenode/internal/kube"
	"coroner/testbed/fakenode/internal/play"
	"coroner/testbed/fakenode/internal/script"
)

// follow lists and watches the pods of a node, again and again, until the context ends.
func (k *Kubelet) follow(ctx context.Context, node string) {
	const pause = time.Second
	for ctx.Err() == nil {
		if err := k.followOnce(ctx, node); err != nil && ctx.Err() == nil {
			log.Printf("node %s: %v", node, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// followOnce begins with a list and goes on with watches until one fails: after that only a list tells what was missed.
func (k *Kubelet) followOnce(ctx context.Context, node string) error {
	selector := "fieldSelector=" + url.QueryEscape("spec.nodeName="+node)
	var list kube.PodList
	if err := k.Client.Do(ctx, http.MethodGet, "/api/v1/pods?resourceVersion=0&"+selector, "", nil, &list); err != nil {
		return err
	}
	k.replace(node, list.Items)
	version := list.Metadata.ResourceVersion
	for ctx.Err() == nil {
		path := fmt.Sprintf("/api/v1/pods?watch=1&allowWatchBookmarks=true&resourceVersion=%s&%s", version, selector)
		err := k.Client.Watch(ctx, path, func(event kube.Event) error {
			var pod kube.Pod
			if event.Type == "ERROR" {
				return fmt.Errorf("watch: %s", event.Object)
			}
			if err := json.Unmarshal(event.Object, &pod); err != nil {
				return fmt.Errorf("watch: %w", err)
			}
			version = pod.Metadata.ResourceVersion
			k.see(event.Type, &pod)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// replace makes the pods of a node those of a list.
func (k *Kubelet) replace(node string, pods []kube.Pod) {
	there := map[string]bool{}
	for i := range pods {
		there[pods[i].Metadata.UID] = true
		k.see("LISTED", &pods[i])
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range k.pods {
		if e.pod.Node == node && !there[e.uid] {
			k.dropLocked(e)
		}
	}
}

// see takes note of a pod as it is in the API.
func (k *Kubelet) see(kind string, pod *kube.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := pod.Metadata.Namespace + "/" + pod.Metadata.Name
	e, known := k.pods[key]
	if known && e.uid != pod.Metadata.UID {
		k.dropLocked(e)
		known = false
	}
	switch {
	case kind == "BOOKMARK":
	case kind == "DELETED":
		if known {
			k.dropLocked(e)
		}
	case !known:
		k.admit(key, pod)
	case pod.Metadata.DeletionTimestamp != "" && !e.deleting:
		e.deleting = true
		k.want(e, time.Now())
	}
}

// admit takes a pod in. One that has a status already was played before this program was restarted. The lock is held.
func (k *Kubelet) admit(key string, pod *kube.Pod) {
	now := time.Now()
	spec, problem := k.specOf(pod)
	e := &entry{key: key, uid: pod.Metadata.UID, position: -1, pod: play.New(spec, k.Config, now)}
	e.deleting = pod.Metadata.DeletionTimestamp != ""
	k.pods[key] = e
	if problem != nil {
		log.Printf("pod %s runs for good: %v", key, problem)
	}
	due := now
	if len(pod.Status.ContainerStatuses) > 0 {
		k.Truth.adopt(e.pod, e.pod.Restore(pod.Status, now), now)
		due = e.pod.Next()
	}
	if e.deleting {
		due = now
	}
	k.want(e, due)
}

// ScriptAnnotation holds the script of all main containers; with a dot and a name after it, of that container alone.
const ScriptAnnotation = "testbed/script"

// specOf reads what a pod is to live through. A script that cannot be read is an empty one. The lock is held.
func (k *Kubelet) specOf(pod *kube.Pod) (spec play.Spec, problem error) {
	spec = play.Spec{
		Namespace: pod.Metadata.Namespace, Name: pod.Metadata.Name, UID: pod.Metadata.UID,
		Node: pod.Spec.NodeName, IP: address(pod.Metadata.UID), RestartPolicy: pod.Spec.RestartPolicy,
	}
	add := func(c kube.Container, kind play.Kind, fallback string) {
		text, given := pod.Metadata.Annotations[ScriptAnnotation+"."+c.Name]
		if !given {
			text = fallback
		}
		parsed, err := k.script(text)
		if err != nil {
			problem = fmt.Errorf("container %s: %w", c.Name, err)
		}
		spec.Containers = append(spec.Containers, play.ContainerSpec{Name: c.Name, Image: c.Image, Kind: kind, Script: parsed})
	}
	for _, c := range pod.Spec.InitContainers {
		kind := play.Init
		if c.RestartPolicy == "Always" {
			kind = play.Sidecar
		}
		add(c, kind, "")
	}
	for _, c := range pod.Spec.Containers {
		add(c, play.Main, pod.Metadata.Annotations[ScriptAnnotation])
	}
	return spec, problem
}

// script reads a script once, however many pods have it.
func (k *Kubelet) script(text string) (*script.Script, error) {
	if parsed, known := k.scripts[text]; known {
		return parsed, nil
	}
	parsed, err := script.Parse(text)
	if err == nil {
		err = k.checkTemplates(parsed)
	}
	if err != nil {
		return &script.Script{}, err
	}
	k.scripts[text] = parsed
	return parsed, nil
}

func (k *Kubelet) checkTemplates(parsed *script.Script) error {
	for _, step := range parsed.Steps {
		if _, known := k.Config.Logs[step.Log]; step.Log != "" && !known {
			return fmt.Errorf("no log template %q: want one of %v", step.Log, k.Config.Logs.Names())
		}
	}
	return nil
}

// address makes an IP address out of a UID, in a range that is routed nowhere.
func address(uid string) string {
	hash := fnv.New32a()
	hash.Write([]byte(uid))
	sum := hash.Sum32()
	return fmt.Sprintf("100.%d.%d.%d", 64+sum>>16%64, sum>>8%256, sum%256)
}
