package node

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"coroner/testbed/fakenode/internal/kube"
)

// api is the few things of an API server that a fake node uses, over one set of pods.
type api struct {
	client *kube.Client

	mu      sync.Mutex
	pods    map[string]*kube.Pod
	history []string // every status that was written, in short
	events  []string
	version int
	watches map[chan []byte]bool
	outage  int // so many writes are answered with 500
}

func newAPI(t *testing.T) *api {
	t.Helper()
	a := &api{pods: map[string]*kube.Pod{}, watches: map[chan []byte]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/pods", a.read)
	mux.HandleFunc("PATCH /api/v1/namespaces/{ns}/pods/{name}/status", a.patch)
	mux.HandleFunc("DELETE /api/v1/namespaces/{ns}/pods/{name}", func(w http.ResponseWriter, r *http.Request) {
		a.remove(r.PathValue("name"))
	})
	mux.HandleFunc("POST /api/v1/namespaces/{ns}/events", a.event)
	server := httptest.NewTLSServer(mux)
	t.Cleanup(func() { a.hangUp(); server.Close() })
	a.client = clientOf(t, server)
	return a
}

func clientOf(t *testing.T, server *httptest.Server) *kube.Client {
	t.Helper()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf("current-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n"+
		"clusters: [{name: a, cluster: {server: %q, certificate-authority-data: %s}}]\n", server.URL, base64.StdEncoding.EncodeToString(ca))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	client, _, err := kube.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (a *api) read(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	if r.URL.Query().Get("watch") == "" {
		defer a.mu.Unlock()
		list := kube.PodList{Metadata: kube.Meta{ResourceVersion: fmt.Sprint(a.version)}}
		for _, pod := range a.pods {
			list.Items = append(list.Items, *pod)
		}
		json.NewEncoder(w).Encode(list)
		return
	}
	if r.URL.Query().Get("resourceVersion") != fmt.Sprint(a.version) {
		a.mu.Unlock()
		http.Error(w, "too old", http.StatusGone)
		return
	}
	stream := make(chan []byte, 1000)
	a.watches[stream] = true
	a.mu.Unlock()
	http.NewResponseController(w).Flush()
	for {
		select {
		case line, open := <-stream:
			if !open {
				return
			}
			w.Write(line)
			http.NewResponseController(w).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// hangUp ends all watches.
func (a *api) hangUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for stream := range a.watches {
		close(stream)
		delete(a.watches, stream)
	}
}

// changed tells the watches about a pod. The lock is held.
func (a *api) changed(kind string, pod *kube.Pod) {
	a.version++
	pod.Metadata.ResourceVersion = fmt.Sprint(a.version)
	line, _ := json.Marshal(map[string]any{"type": kind, "object": pod})
	line = append(line, '\n')
	for stream := range a.watches {
		stream <- line
	}
}

// set adds or replaces a pod.
func (a *api) set(name, uid, script, policy string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	pod := &kube.Pod{
		Metadata: kube.Meta{Name: name, Namespace: "shop", UID: uid, Annotations: map[string]string{ScriptAnnotation: script}},
		Spec:     kube.PodSpec{NodeName: "fake-1", RestartPolicy: policy, Containers: []kube.Container{{Name: "app", Image: "x:1"}}},
	}
	a.pods[name] = pod
	a.changed("ADDED", pod)
}

// condemn marks a pod as being deleted.
func (a *api) condemn(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pods[name].Metadata.DeletionTimestamp = "2026-11-25T07:50:00Z"
	a.changed("MODIFIED", a.pods[name])
}

func (a *api) remove(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if pod := a.pods[name]; pod != nil {
		delete(a.pods, name)
		a.changed("DELETED", pod)
	}
}

func (a *api) patch(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var patch kube.Pod
	json.NewDecoder(r.Body).Decode(&patch)
	pod := a.pods[r.PathValue("name")]
	switch {
	case a.outage > 0:
		a.outage--
		http.Error(w, "away", http.StatusInternalServerError)
	case pod == nil:
		http.Error(w, "not found", http.StatusNotFound)
	case pod.Metadata.UID != patch.Metadata.UID:
		http.Error(w, "another pod", http.StatusConflict)
	default:
		pod.Status = patch.Status
		a.history = append(a.history, brief(pod))
		a.changed("MODIFIED", pod)
	}
}

func (a *api) event(_ http.ResponseWriter, r *http.Request) {
	var event struct{ Reason string }
	json.NewDecoder(r.Body).Decode(&event)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events = append(a.events, event.Reason)
}

func brief(pod *kube.Pod) string {
	var parts []string
	for _, c := range pod.Status.ContainerStatuses {
		switch {
		case c.State.Running != nil:
			parts = append(parts, fmt.Sprintf("%s run %d", pod.Metadata.Name, c.RestartCount))
		case c.State.Terminated != nil:
			parts = append(parts, fmt.Sprintf("%s end %d exit %d", pod.Metadata.Name, c.RestartCount, c.State.Terminated.ExitCode))
		default:
			parts = append(parts, pod.Metadata.Name+" wait")
		}
	}
	return strings.Join(parts, ", ")
}

// written is the history so far.
func (a *api) written() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.history...)
}
