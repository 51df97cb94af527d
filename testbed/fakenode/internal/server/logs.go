// Package server answers what the API server asks a kubelet, and what tests ask this program.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"coroner/testbed/fakenode/internal/logs"
	"coroner/testbed/fakenode/internal/play"
)

// Source is where logs come from.
type Source interface {
	// Log finds the log of a container; the last result is false if there is no such pod.
	Log(namespace, pod, container string, previous bool, now time.Time) (*logs.Instance, *play.LogError, bool)
	// Node tells on which node a pod is.
	Node(namespace, pod string) string
}

// Kubelet is the handler for the API server.
func Kubelet(source Source, faults *Faults) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthy)
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", func(w http.ResponseWriter, r *http.Request) {
		faults.served.Add(1)
		if !faults.strike(w, r, source.Node(r.PathValue("namespace"), r.PathValue("pod"))) {
			containerLog(w, r, source)
		}
	})
	return mux
}

func healthy(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }

func containerLog(w http.ResponseWriter, r *http.Request, source Source) {
	query, err := parseQuery(r.URL.Query())
	if err != nil {
		http.Error(w, `{"message": "Unable to decode query."}`, http.StatusBadRequest)
		return
	}
	find := func() (*logs.Instance, *play.LogError, bool) {
		return source.Log(r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("container"), query.previous, time.Now())
	}
	instance, refused, known := find()
	switch {
	case !known:
		http.Error(w, fmt.Sprintf("pod %q does not exist", r.PathValue("pod")), http.StatusNotFound)
	case refused != nil:
		w.WriteHeader(refused.Status)
		io.WriteString(w, refused.Text)
	case query.follow:
		query.stream(r.Context(), w, instance, func() bool { return alive(find, instance.ID) })
	default:
		query.send(w, instance, time.Now())
	}
}

// alive tells whether an instance is still the one that runs.
func alive(find func() (*logs.Instance, *play.LogError, bool), id string) bool {
	now, refused, known := find()
	return known && refused == nil && now.ID == id && now.Stopped.IsZero()
}

// query is what of a log is wanted.
type query struct {
	previous, follow, timestamps bool
	tail                         int // lines, -1 for all
	limit                        int // bytes, -1 for all
	since                        time.Time
}

func parseQuery(values url.Values) (q query, err error) {
	q = query{tail: -1, limit: -1}
	flag := func(name string) bool {
		value, e := strconv.ParseBool(values.Get(name))
		if values.Has(name) {
			err = errors.Join(err, e)
		}
		return value
	}
	number := func(name string, into *int) {
		if values.Has(name) {
			var e error
			*into, e = strconv.Atoi(values.Get(name))
			err = errors.Join(err, e)
		}
	}
	q.previous, q.follow, q.timestamps = flag("previous"), flag("follow"), flag("timestamps")
	number("tailLines", &q.tail)
	number("limitBytes", &q.limit)
	seconds := 0
	if number("sinceSeconds", &seconds); seconds > 0 {
		q.since = time.Now().Add(-time.Duration(seconds) * time.Second)
	}
	if values.Has("sinceTime") {
		var e error
		q.since, e = time.Parse(time.RFC3339, values.Get("sinceTime"))
		err = errors.Join(err, e)
	}
	return q, err
}

// The kubelet's time stamps, always nine digits.
const stamps = "2006-01-02T15:04:05.000000000Z07:00"

var errLimit = errors.New("enough bytes")

// line writes one line as the kubelet does: the byte limit cuts from the front of the tail on, time stamps included.
func (q *query) line(w io.Writer, at time.Time, text string) error {
	if at.Before(q.since) {
		return nil
	}
	if q.timestamps {
		text = at.UTC().Format(stamps) + " " + text
	}
	if q.limit >= 0 {
		text = text[:min(len(text), q.limit)]
		q.limit -= len(text)
	}
	if _, err := io.WriteString(w, text); err != nil {
		return err
	}
	if q.limit == 0 {
		return errLimit
	}
	return nil
}

// send writes what there is.
func (q *query) send(w io.Writer, instance *logs.Instance, now time.Time) {
	skip := 0
	if q.tail >= 0 {
		for range instance.Lines(now) {
			skip++
		}
		skip -= q.tail
	}
	for at, text := range instance.Lines(now) {
		if skip--; skip >= 0 {
			continue
		}
		if q.line(w, at, text) != nil {
			return
		}
	}
}

// stream goes on with what comes, until the instance ends or the reader leaves.
func (q *query) stream(ctx context.Context, w http.ResponseWriter, instance *logs.Instance, alive func() bool) {
	flusher := http.NewResponseController(w)
	begin := time.Now()
	q.send(w, instance, begin)
	flusher.Flush()
	endless := begin.Add(365 * 24 * time.Hour)
	for at, text := range instance.Lines(endless) {
		if !at.After(begin) {
			continue
		}
		if !pause(ctx, time.Until(at), alive) || q.line(w, at, text) != nil || flusher.Flush() != nil {
			return
		}
	}
}

// pause waits; it returns false as soon as waiting makes no sense any more.
func pause(ctx context.Context, span time.Duration, alive func() bool) bool {
	const look = 200 * time.Millisecond
	for end := time.Now().Add(span); ; {
		left := time.Until(end)
		if left <= 0 {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(min(left, look)):
			if left > look && !alive() {
				return false
			}
		}
	}
}
