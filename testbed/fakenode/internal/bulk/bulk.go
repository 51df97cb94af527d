// Package bulk makes many pods for fake nodes at once.
package bulk

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"coroner/testbed/fakenode/internal/kube"
	"coroner/testbed/fakenode/internal/node"
)

// Options is what to make.
type Options struct {
	Count         int
	Workloads     int
	Namespace     string
	Prefix        string
	Script        string // %w in it is the workload's number
	Owner         string
	RestartPolicy string
	Parallel      int
}

// label tells the pods of one call from others.
const label = "testbed/bulk"

// Create makes the pods, or the Deployments that make them.
func Create(ctx context.Context, client *kube.Client, o Options) error {
	if o.Count < 1 || o.Workloads < 1 || o.Parallel < 1 || o.Count < o.Workloads {
		return fmt.Errorf("%d pods in %d workloads, %d at once: want at least one each, and no workload without a pod", o.Count, o.Workloads, o.Parallel)
	}
	nodes, err := fakeNodes(ctx, client)
	if err != nil {
		return err
	}
	if err := prepare(ctx, client, o.Namespace); err != nil {
		return err
	}
	switch o.Owner {
	case "none":
		path := "/api/v1/namespaces/" + o.Namespace + "/pods"
		return parallel(o.Parallel, o.Count, func(n int) error {
			return client.Do(ctx, http.MethodPost, path, kube.JSON, o.pod(n%o.Workloads, nodes[n%len(nodes)]), nil)
		})
	case "deployment":
		path := "/apis/apps/v1/namespaces/" + o.Namespace + "/deployments"
		return parallel(o.Parallel, o.Workloads, func(n int) error {
			return client.Do(ctx, http.MethodPost, path, kube.JSON, o.deployment(n, nodes[n%len(nodes)]), nil)
		})
	}
	return fmt.Errorf("no owner %q: want none or deployment", o.Owner)
}

// AwaitStart returns when every pod has left Pending.
func AwaitStart(ctx context.Context, client *kube.Client, o Options) error {
	const look = 500 * time.Millisecond
	path := "/api/v1/namespaces/" + o.Namespace + "/pods?resourceVersion=0&labelSelector=" + label + "%3D" + o.Prefix
	for {
		var list kube.PodList
		if err := client.Do(ctx, http.MethodGet, path, "", nil, &list); err != nil {
			return err
		}
		started := 0
		for i := range list.Items {
			if list.Items[i].Status.Phase != "Pending" {
				started++
			}
		}
		if started >= o.Count {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d pods have started: %w", started, o.Count, ctx.Err())
		case <-time.After(look):
		}
	}
}

func fakeNodes(ctx context.Context, client *kube.Client) ([]string, error) {
	var list kube.PodList // only the metadata is read, which is alike
	if err := client.Do(ctx, http.MethodGet, "/api/v1/nodes?labelSelector="+strings.ReplaceAll(node.Label, "/", "%2F"), "", nil, &list); err != nil {
		return nil, err
	}
	var names []string
	for _, item := range list.Items {
		names = append(names, item.Metadata.Name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("there are no fake nodes: testbed/fake-nodes N makes some")
	}
	return names, nil
}

// prepare makes the namespace and waits for its service account, without which no pod is admitted.
func prepare(ctx context.Context, client *kube.Client, name string) error {
	object := map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": kube.Meta{Name: name}}
	err := client.Do(ctx, http.MethodPost, "/api/v1/namespaces", kube.JSON, object, nil)
	if err != nil && kube.Code(err) != http.StatusConflict {
		return err
	}
	const patience, look = 10 * time.Second, 50 * time.Millisecond
	for end := time.Now().Add(patience); ; {
		err := client.Do(ctx, http.MethodGet, "/api/v1/namespaces/"+name+"/serviceaccounts/default", "", nil, nil)
		if kube.Code(err) != http.StatusNotFound || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(look):
		}
	}
}

// parallel calls job for each number below count, and stops at the first error.
func parallel(workers, count int, job func(n int) error) error {
	numbers := make(chan int)
	failed := make(chan error, workers)
	var all sync.WaitGroup
	for range workers {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := range numbers {
				if err := job(n); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	err := feed(numbers, count, failed)
	close(numbers)
	all.Wait()
	if err == nil {
		select {
		case err = <-failed:
		default:
		}
	}
	return err
}

func feed(numbers chan<- int, count int, failed <-chan error) error {
	for n := range count {
		select {
		case numbers <- n:
		case err := <-failed:
			return err
		}
	}
	return nil
}

func (o Options) name(workload int) string { return fmt.Sprintf("%s-%03d", o.Prefix, workload+1) }

func (o Options) pod(workload int, node string) kube.Pod {
	name := o.name(workload)
	return kube.Pod{
		APIVersion: "v1", Kind: "Pod",
		Metadata: o.meta(name, kube.Meta{GenerateName: name + "-"}, workload),
		Spec:     o.spec(node),
	}
}

// deployment puts all its pods on one node by name: the scheduler would be the slowest part of a storm.
func (o Options) deployment(workload int, node string) map[string]any {
	name := o.name(workload)
	replicas := o.Count / o.Workloads
	if workload < o.Count%o.Workloads {
		replicas++
	}
	return map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": kube.Meta{Name: name},
		"spec": map[string]any{
			"replicas": replicas,
			"selector": map[string]any{"matchLabels": map[string]string{"app.kubernetes.io/name": name}},
			"template": map[string]any{"metadata": o.meta(name, kube.Meta{}, workload), "spec": o.spec(node)},
		},
	}
}

func (o Options) meta(name string, meta kube.Meta, workload int) kube.Meta {
	meta.Labels = map[string]string{"app.kubernetes.io/name": name, label: o.Prefix}
	meta.Annotations = map[string]string{node.ScriptAnnotation: strings.ReplaceAll(o.Script, "%w", strconv.Itoa(workload+1))}
	return meta
}

func (o Options) spec(node string) kube.PodSpec {
	no, grace := false, int64(1)
	return kube.PodSpec{
		NodeName: node, RestartPolicy: o.RestartPolicy, AutomountToken: &no, TerminationGrace: &grace,
		Containers:  []kube.Container{{Name: "app", Image: "testbed.local/fake:1"}},
		Tolerations: []kube.Toleration{{Operator: "Exists"}},
	}
}
