package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	postPath   = "/api/chat.postMessage"
	updatePath = "/api/chat.update"
)

// server answers as Slack does.
type server struct {
	now     func() time.Time
	rates   *rates
	records *records
	token   string // of the bot

	mu     sync.Mutex
	faults faults
	lastTS int64
}

// faults is what the next requests get instead of a proper answer.
type faults struct {
	Fail   int    `json:"fail"`   // for how many requests
	Status int    `json:"status"` // 500 if not given
	Body   string `json:"body"`   // rollup_error if not given
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /services/", s.webhook)
	mux.HandleFunc("POST "+postPath, s.webAPI)
	mux.HandleFunc("POST "+updatePath, s.webAPI)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /messages", s.messages)
	mux.HandleFunc("GET /render", s.render)
	mux.HandleFunc("POST /control", s.control)
	return mux
}

// result is one answer, before it is written in the way of a webhook or of the Web API.
type result struct {
	msg     *message
	refusal *refusal
	wait    int // seconds, when there was too much
}

var webhookPath = regexp.MustCompile(`^/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]+$`)

func (s *server) webhook(w http.ResponseWriter, r *http.Request) {
	body, ok := s.body(w, r)
	if !ok {
		return
	}
	res := s.deliver(r.URL.Path, body)
	e := s.entry(r, body, res)
	if res.refusal == nil {
		e.Status, e.Answer, e.TS = http.StatusOK, "ok", s.newTS()
	}
	s.keep(e)
	retryAfter(w, res.wait)
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(e.Status)
	io.WriteString(w, e.Answer)
}

func (s *server) deliver(path string, body []byte) result {
	if !webhookPath.MatchString(path) {
		return result{refusal: &refusal{status: 404, code: "no_service"}}
	}
	if wait := s.rates.take(path); wait > 0 {
		return result{wait: wait, refusal: &refusal{status: 429, code: "rate_limited"}}
	}
	msg, refused := parse(body)
	return result{msg: msg, refusal: refused}
}

func (s *server) webAPI(w http.ResponseWriter, r *http.Request) {
	body, ok := s.body(w, r)
	if !ok {
		return
	}
	res := s.call(r, body)
	e := s.entry(r, body, res)
	answer := map[string]any{"ok": false}
	switch {
	case res.refusal == nil:
		e.Status, e.Answer, e.Channel = http.StatusOK, "ok", res.msg.Channel
		e.TS, e.ThreadTS = res.msg.TS, res.msg.ThreadTS
		answer = map[string]any{"ok": true, "channel": e.Channel, "ts": e.TS, "message": json.RawMessage(body)}
	case res.wait > 0:
		answer["error"] = "ratelimited"
	default:
		e.Status = http.StatusOK // the Web API tells errors in the body alone
		answer["error"] = res.refusal.code
		if details := res.refusal.details; details != nil {
			answer["errors"] = details
			answer["response_metadata"] = map[string]any{"messages": marked(details)}
		}
	}
	s.keep(e)
	retryAfter(w, res.wait)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(e.Status)
	json.NewEncoder(w).Encode(answer)
}

// call does what chat.postMessage or chat.update is asked to; the message's TS names it afterwards.
func (s *server) call(r *http.Request, body []byte) result {
	if code := s.authorise(r); code != "" {
		return result{refusal: &refusal{code: code}}
	}
	msg, refused := parse(body)
	switch {
	case refused != nil:
		return result{refusal: refused}
	case msg.Channel == "":
		return result{refusal: &refusal{code: "channel_not_found"}}
	}
	if wait := s.rates.take(msg.Channel); wait > 0 {
		return result{wait: wait, refusal: &refusal{status: 429, code: "ratelimited"}}
	}
	if r.URL.Path == updatePath {
		if !s.records.replace(msg.Channel, msg.TS, body) {
			return result{refusal: &refusal{code: "message_not_found"}}
		}
		return result{msg: msg}
	}
	if msg.ThreadTS != "" && !s.records.has(msg.Channel, msg.ThreadTS) {
		return result{refusal: &refusal{code: "thread_not_found"}}
	}
	msg.TS = s.newTS()
	return result{msg: msg}
}

func (s *server) authorise(r *http.Request) string {
	token, given := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !given:
		return "not_authed"
	case token != s.token:
		return "invalid_auth"
	}
	return ""
}

// body reads a request, after the faults that were ordered. It returns false when the request is answered already.
func (s *server) body(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "invalid_payload", http.StatusRequestEntityTooLarge)
		return nil, false
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		if form, err := url.ParseQuery(string(body)); err == nil && form.Has("payload") {
			body = []byte(form.Get("payload"))
		}
	}
	if status, text, failed := s.fault(); failed {
		s.keep(&entry{Time: s.now(), Path: r.URL.Path, Status: status, Answer: text, Body: asJSON(body)})
		w.WriteHeader(status)
		io.WriteString(w, text)
		return nil, false
	}
	return body, true
}

func (s *server) fault() (status int, text string, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.Fail == 0 {
		return 0, "", false
	}
	s.faults.Fail--
	status, text = s.faults.Status, s.faults.Body
	if status == 0 {
		status = http.StatusInternalServerError
	}
	if text == "" {
		text = "rollup_error"
	}
	return status, text, true
}

// entry starts a record of a request; for an accepted one its status and name are still missing.
func (s *server) entry(r *http.Request, body []byte, res result) *entry {
	e := &entry{Time: s.now(), Path: r.URL.Path, Body: asJSON(body)}
	if res.refusal != nil {
		e.Status, e.Answer, e.Details = res.refusal.status, res.refusal.code, res.refusal.details
		return e
	}
	var whole any
	if json.Unmarshal(body, &whole) == nil {
		e.Mentions, e.Links = found(mention, whole), found(link, whole)
	}
	e.Cut = res.msg.truncated
	return e
}

func (s *server) keep(e *entry) {
	if err := s.records.add(e); err != nil {
		log.Print(err)
	}
}

// newTS names a message as Slack does, by its time, never the same twice.
func (s *server) newTS() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastTS = max(s.lastTS+1, s.now().UnixMicro())
	return fmt.Sprintf("%d.%06d", s.lastTS/1e6, s.lastTS%1e6)
}

func (s *server) messages(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(s.records.list(r.URL.Query().Has("all")))
}

func (s *server) render(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	style := plain
	if r.URL.Query().Has("color") {
		style = ansi
	}
	for _, e := range s.records.list(false) {
		io.WriteString(w, style.message(e))
	}
}

func (s *server) control(w http.ResponseWriter, r *http.Request) {
	var ordered faults
	if err := json.NewDecoder(r.Body).Decode(&ordered); err != nil || ordered.Fail < 0 {
		http.Error(w, `want {"fail": N, "status": 500, "body": "rollup_error"}`, http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = ordered
}

func retryAfter(w http.ResponseWriter, seconds int) {
	if seconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
}

func marked(details []string) []string {
	marked := make([]string, len(details))
	for i, detail := range details {
		marked[i] = "[ERROR] " + detail
	}
	return marked
}

// asJSON keeps a body as it came if it is JSON, else as a string.
func asJSON(body []byte) json.RawMessage {
	if json.Valid(body) {
		return body
	}
	quoted, _ := json.Marshal(string(body)) // a string always encodes
	return quoted
}
