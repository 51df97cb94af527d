// Package record writes down what a real kubelet tells of the pods of a namespace: every watch event as it came, every Event, and
// on the first sight of each terminated record what both reads of its log answer, whole and with time stamps.
package record

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"coroner/testbed/fakenode/internal/kube"
)

// tail is how many lines are asked for, as Coroner does.
const tail = 2000

// line is one event of a watch, with the time at which it came.
type line struct {
	Received string          `json:"recv"`
	Type     string          `json:"type"`
	Object   json.RawMessage `json:"object"`
}

// Read is one answer to a read of a log.
type Read struct {
	Received    string `json:"recv"`
	Pod         string `json:"pod"`
	Container   string `json:"container"`
	ContainerID string `json:"containerID"` // of the record on whose first sight it was read
	SeenIn      string `json:"seenIn"`
	Previous    bool   `json:"previous"`
	Code        int    `json:"code"`
	Body        string `json:"body"`
}

// recorder follows one namespace.
type recorder struct {
	client    *kube.Client
	namespace string

	mu    sync.Mutex
	files map[string]*os.File
	seen  map[string]bool
	reads sync.WaitGroup
}

// Run records until the context ends.
func Run(ctx context.Context, client *kube.Client, namespace, dir string) error {
	r := &recorder{client: client, namespace: namespace, files: map[string]*os.File{}, seen: map[string]bool{}}
	for _, name := range []string{"pods.watch.jsonl", "events.watch.jsonl", "logs.jsonl"} {
		file, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		defer file.Close()
		r.files[name] = file
	}
	var watches sync.WaitGroup
	failed := make(chan error, 2)
	for _, what := range []string{"pods", "events"} {
		watches.Add(1)
		go func() {
			defer watches.Done()
			failed <- r.follow(ctx, what)
		}()
	}
	watches.Wait()
	r.reads.Wait()
	close(failed)
	for err := range failed {
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// follow watches a resource from its beginning: the namespace is empty then.
func (r *recorder) follow(ctx context.Context, resource string) error {
	path := fmt.Sprintf("/api/v1/namespaces/%s/%s?watch=1&timeoutSeconds=3600", r.namespace, resource)
	return r.client.Watch(ctx, path, func(event kube.Event) error {
		object, err := slim(event.Object)
		if err != nil {
			return err
		}
		if resource == "pods" {
			r.look(ctx, event.Object)
		}
		return r.write(resource+".watch.jsonl", line{now(), event.Type, object})
	})
}

func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000000Z07:00") }

// slim drops who wrote what: half of an object, and of no use to a reader.
func slim(object json.RawMessage) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	var meta map[string]json.RawMessage
	if err := json.Unmarshal(object, &fields); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(fields["metadata"], &meta); err != nil {
		return nil, err
	}
	delete(meta, "managedFields")
	var err error
	if fields["metadata"], err = json.Marshal(meta); err != nil {
		return nil, err
	}
	return json.Marshal(fields)
}

func (r *recorder) write(name string, row any) error {
	text, err := json.Marshal(row)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err = r.files[name].Write(append(text, '\n'))
	return err
}

// pod is what of one says that a container has ended.
type pod struct {
	Metadata struct{ Name, UID string }
	Status   struct{ InitContainerStatuses, ContainerStatuses, EphemeralContainerStatuses []status }
}

type status struct {
	Name             string
	State, LastState struct{ Terminated *struct{ ContainerID string } }
}

// look starts the reads for every record that is seen for the first time.
func (r *recorder) look(ctx context.Context, object json.RawMessage) {
	var p pod
	if json.Unmarshal(object, &p) != nil {
		return
	}
	all := append(append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...), p.Status.EphemeralContainerStatuses...)
	for _, s := range all {
		if ended := s.State.Terminated; ended != nil {
			r.first(ctx, Read{Pod: p.Metadata.Name, Container: s.Name, ContainerID: ended.ContainerID, SeenIn: "state"})
		}
		if ended := s.LastState.Terminated; ended != nil {
			r.first(ctx, Read{Pod: p.Metadata.Name, Container: s.Name, ContainerID: ended.ContainerID, SeenIn: "lastState"})
		}
	}
}

func (r *recorder) first(ctx context.Context, wanted Read) {
	key := wanted.Pod + "/" + wanted.Container + "/" + wanted.ContainerID
	r.mu.Lock()
	known := r.seen[key]
	r.seen[key] = true
	r.mu.Unlock()
	if known || wanted.ContainerID == "" {
		return
	}
	// The right one first, as Coroner does, and the other one at once: what it would get is part of the recording.
	for _, previous := range []bool{wanted.SeenIn == "lastState", wanted.SeenIn != "lastState"} {
		wanted.Previous = previous
		r.reads.Add(1)
		go func(wanted Read) {
			defer r.reads.Done()
			r.read(ctx, wanted)
		}(wanted)
	}
}

func (r *recorder) read(ctx context.Context, wanted Read) {
	path := fmt.Sprintf("/api/v1/namespaces/%s/pods/%s/log?container=%s&tailLines=%d&timestamps=true", r.namespace, wanted.Pod, wanted.Container, tail)
	if wanted.Previous {
		path += "&previous=true"
	}
	body, code, err := r.client.Text(ctx, path)
	if err != nil && code == 0 {
		fmt.Fprintf(os.Stderr, "read of %s/%s: %v\n", wanted.Pod, wanted.Container, err)
		return
	}
	wanted.Received, wanted.Code, wanted.Body = now(), code, body
	if err := r.write("logs.jsonl", wanted); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
