package node

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"sync"
	"time"

	"coroner/testbed/fakenode/internal/play"
)

// Record is one termination that was played.
type Record struct {
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	UID       string `json:"uid"`
	Node      string `json:"node"`
	play.Ending
	Published *time.Time `json:"published"` // when the API server had it; null if it never did
}

// Truth is every termination, to compare a watcher's findings with.
type Truth struct {
	mu      sync.Mutex
	records []*Record
	known   map[string]bool // container IDs
	file    io.Writer
}

// OpenTruth continues the list in a file; with an empty path it is kept in memory alone.
func OpenTruth(path string) (*Truth, error) {
	truth := &Truth{known: map[string]bool{}, file: io.Discard}
	if path == "" {
		return truth, nil
	}
	if err := truth.load(path); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	truth.file = file
	return truth, nil
}

func (t *Truth) load(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		record := new(Record)
		if json.Unmarshal(lines.Bytes(), record) == nil { // the last line may be cut by a kill
			t.records = append(t.records, record)
			t.known[record.ID] = true
		}
	}
	return nil
}

// add notes endings that are about to be published.
func (t *Truth) add(pod *play.Pod, endings []*play.Ending) []*Record {
	if len(endings) == 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	added := make([]*Record, len(endings))
	for i, end := range endings {
		t.known[end.ID] = true
		added[i] = &Record{Namespace: pod.Namespace, Pod: pod.Name, UID: pod.UID, Node: pod.Node, Ending: *end}
	}
	t.records = append(t.records, added...)
	return added
}

// adopt notes endings that a pod's status reports although this list does not: a kill came between the two.
func (t *Truth) adopt(pod *play.Pod, endings []*play.Ending, now time.Time) {
	var missing []*play.Ending
	t.mu.Lock()
	for _, end := range endings {
		if !t.known[end.ID] {
			missing = append(missing, end)
		}
	}
	t.mu.Unlock()
	t.published(t.add(pod, missing), now)
}

// published notes that the API server has them, and writes them down: what it never had is played again after a restart.
func (t *Truth) published(records []*Record, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, record := range records {
		record.Published = &now
		line, err := json.Marshal(record)
		if err == nil {
			_, err = t.file.Write(append(line, '\n'))
		}
		if err != nil {
			log.Printf("write the truth of %s/%s: %v", record.Namespace, record.Pod, err)
		}
	}
}

// Write sends all records as lines of JSON.
func (t *Truth) Write(out io.Writer) error {
	t.mu.Lock()
	records := make([]Record, len(t.records))
	for i, record := range t.records {
		records[i] = *record
	}
	t.mu.Unlock()
	encoder := json.NewEncoder(out)
	for i := range records {
		if err := encoder.Encode(&records[i]); err != nil {
			return err
		}
	}
	return nil
}

// Len is how many terminations were played.
func (t *Truth) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.records)
}
