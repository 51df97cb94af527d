// Package node is the fake kubelet: it has nodes, follows the pods on them, and reports what the script says.
package node

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"sync/atomic"
	"time"

	"coroner/testbed/fakenode/internal/kube"
	"coroner/testbed/fakenode/internal/play"
)

// Label is on every fake node, Taint keeps pods off that were not meant for one.
const (
	Label = "testbed/fake"
	Taint = "testbed/fake"
)

// Name is the nth node's, counted from 1.
func Name(n int) string { return fmt.Sprintf("fake-%d", n) }

// Leases keeps nodes alive. Without a renewal for 40 s a node is taken for dead, and after 5 minutes more its pods are evicted.
type Leases struct {
	Client *kube.Client
	Nodes  []string
	Paused atomic.Bool // for tests of dead nodes
}

const (
	leaseDuration = 40 // seconds, as the kubelet's
	renewal       = 10 * time.Second
)

// Register makes the nodes, or takes over those that are there. It is patient with an API server that is not up.
func (l *Leases) Register(ctx context.Context, port int) error {
	for _, name := range l.Nodes {
		if err := l.insist(ctx, func() error { return l.register(ctx, name, port) }); err != nil {
			return fmt.Errorf("register node %s: %w", name, err)
		}
	}
	return nil
}

func (l *Leases) register(ctx context.Context, name string, port int) error {
	err := l.Client.Do(ctx, http.MethodPost, "/api/v1/nodes", kube.JSON, nodeObject(name, port), nil)
	if kube.Code(err) == http.StatusConflict {
		status := map[string]any{"status": nodeStatus(name, port)}
		err = l.Client.Do(ctx, http.MethodPatch, "/api/v1/nodes/"+name+"/status", kube.MergePatch, status, nil)
	}
	if err != nil {
		return err
	}
	return l.renew(ctx, name)
}

// insist repeats a request until it is answered; a refusal with a reason is an answer.
func (l *Leases) insist(ctx context.Context, try func() error) error {
	const pause = 500 * time.Millisecond
	for told := false; ; told = true {
		err := try()
		if code := kube.Code(err); err == nil || code >= 400 && code < 500 && code != http.StatusTooManyRequests {
			return err
		}
		if !told {
			log.Printf("%v (will be tried again)", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Run renews the leases until the context ends.
func (l *Leases) Run(ctx context.Context) {
	tick := time.NewTicker(renewal)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, name := range l.Nodes {
			if l.Paused.Load() {
				break
			}
			if err := l.renew(ctx, name); err != nil && ctx.Err() == nil {
				log.Print(err)
			}
		}
	}
}

const leasePath = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"

func (l *Leases) renew(ctx context.Context, name string) error {
	spec := map[string]any{
		"holderIdentity": name, "leaseDurationSeconds": leaseDuration,
		"renewTime": time.Now().UTC().Format("2006-01-02T15:04:05.000000Z07:00"),
	}
	err := l.Client.Do(ctx, http.MethodPatch, leasePath+"/"+name, kube.MergePatch, map[string]any{"spec": spec}, nil)
	if kube.Code(err) == http.StatusNotFound {
		lease := map[string]any{
			"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
			"metadata": kube.Meta{Name: name, Namespace: "kube-node-lease"}, "spec": spec,
		}
		err = l.Client.Do(ctx, http.MethodPost, leasePath, kube.JSON, lease, nil)
	}
	if err != nil {
		return fmt.Errorf("renew the lease of node %s: %w", name, err)
	}
	return nil
}

func nodeObject(name string, port int) map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "Node",
		"metadata": kube.Meta{Name: name, Labels: map[string]string{
			Label: "true", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
		}},
		"spec":   map[string]any{"taints": []map[string]string{{"key": Taint, "effect": "NoSchedule"}}},
		"status": nodeStatus(name, port),
	}
}

func nodeStatus(name string, port int) map[string]any {
	room := map[string]string{"cpu": "1000", "memory": "4Ti", "ephemeral-storage": "4Ti", "pods": "20000"}
	now := time.Now().UTC().Format(time.RFC3339)
	conditions := []map[string]string{{"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now, "lastTransitionTime": now}}
	for _, pressure := range []string{"MemoryPressure", "DiskPressure", "PIDPressure"} {
		conditions = append(conditions, map[string]string{"type": pressure, "status": "False", "lastHeartbeatTime": now, "lastTransitionTime": now})
	}
	return map[string]any{
		"addresses":       []map[string]string{{"type": "InternalIP", "address": play.NodeIP}, {"type": "Hostname", "address": name}},
		"daemonEndpoints": map[string]any{"kubeletEndpoint": map[string]int{"Port": port}},
		"capacity":        room, "allocatable": room, "conditions": conditions,
		"nodeInfo": map[string]string{
			"architecture": "amd64", "operatingSystem": "linux", "kubeletVersion": "v1.36.3", "kubeProxyVersion": "",
			"containerRuntimeVersion": "containerd://2.1.9", "osImage": "a script", "kernelVersion": "none",
			"machineID": name, "systemUUID": name, "bootID": name,
		},
	}
}
