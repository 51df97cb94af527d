package bulk

import (
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"

	"coroner/testbed/fakenode/internal/node"
)

var storm = Options{Count: 10, Workloads: 3, Namespace: "storm", Prefix: "app", Script: "run=1s log=go-nil bug=%w", RestartPolicy: "Always", Parallel: 4}

func TestAPodIsOfItsWorkloadAndItsNode(t *testing.T) {
	pod := storm.pod(1, "fake-2")
	if pod.Metadata.GenerateName != "app-002-" || pod.Metadata.Labels["app.kubernetes.io/name"] != "app-002" || pod.Spec.NodeName != "fake-2" {
		t.Errorf("%+v", pod)
	}
	if got := pod.Metadata.Annotations[node.ScriptAnnotation]; got != "run=1s log=go-nil bug=2" {
		t.Errorf("script %q", got)
	}
	text, err := json.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil || fields["status"] != nil {
		t.Errorf("a new pod is sent with a status: %s", text)
	}
}

func TestDeploymentsShareThePodsEvenly(t *testing.T) {
	total := 0
	for n := range storm.Workloads {
		replicas := storm.deployment(n, "fake-1")["spec"].(map[string]any)["replicas"].(int)
		if replicas < 3 || replicas > 4 {
			t.Errorf("workload %d has %d replicas", n, replicas)
		}
		total += replicas
	}
	if total != storm.Count {
		t.Errorf("%d replicas in all, want %d", total, storm.Count)
	}
}

func TestParallelDoesEachOnceAndStopsAtAnError(t *testing.T) {
	var done [100]atomic.Int32
	if err := parallel(7, len(done), func(n int) error { done[n].Add(1); return nil }); err != nil {
		t.Fatal(err)
	}
	for n := range done {
		if done[n].Load() != 1 {
			t.Errorf("%d was done %d times", n, done[n].Load())
		}
	}
	var calls atomic.Int32
	failure := errors.New("refused")
	err := parallel(4, 1_000_000, func(int) error { calls.Add(1); return failure })
	if !errors.Is(err, failure) || calls.Load() > 100 {
		t.Errorf("%v after %d calls, want the error at once", err, calls.Load())
	}
}
