package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const hook = "/services/T0TEST/B0TEST/secret"

type fixture struct {
	handler http.Handler
	clock   time.Time
	file    bytes.Buffer
}

func start(rate, burst float64) *fixture {
	f := &fixture{clock: time.Date(2026, 11, 25, 7, 50, 3, 0, time.UTC)}
	now := func() time.Time { return f.clock }
	f.handler = (&server{now: now, rates: newRates(rate, burst, now), records: &records{file: &f.file}, token: "xoxb-1"}).handler()
	return f
}

func (f *fixture) send(method, path, body string, headers ...string) *http.Response {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	f.handler.ServeHTTP(answer, request)
	return answer.Result()
}

func text(t *testing.T, response *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func chars(n int) string { return strings.Repeat("x", n) }

func blocks(list ...string) string { return `{"text":"t","blocks":[` + strings.Join(list, ",") + `]}` }

func section(text string) string {
	return fmt.Sprintf(`{"type":"section","text":{"type":"mrkdwn","text":%q}}`, text)
}

func header(text string) string {
	return fmt.Sprintf(`{"type":"header","text":{"type":"plain_text","text":%q}}`, text)
}

func repeated(block string, n int) string {
	return strings.TrimSuffix(strings.Repeat(block+",", n), ",")
}

func TestWebhooksAnswerAsSlackDoes(t *testing.T) {
	field := `{"type":"mrkdwn","text":"f"}`
	for name, c := range map[string]struct {
		path, body string
		status     int
		answer     string
	}{
		"plain text":                    {hook, `{"text":"hello"}`, 200, "ok"},
		"blocks without text":           {hook, `{"blocks":[` + section("a") + `]}`, 200, "ok"},
		"attachments without text":      {hook, `{"attachments":[{"text":"old style"}]}`, 200, "ok"},
		"nothing to say":                {hook, `{}`, 400, "no_text"},
		"no blocks and empty text":      {hook, `{"text":"","blocks":[]}`, 400, "no_text"},
		"no JSON":                       {hook, `text=hello`, 400, "invalid_payload"},
		"JSON that is no object":        {hook, `"hello"`, 400, "invalid_payload"},
		"invalid UTF-8":                 {hook, "{\"text\":\"\xff\"}", 400, "invalid_payload"},
		"unknown webhook":               {"/services/nobody", `{"text":"hello"}`, 404, "no_service"},
		"blocks that are no list":       {hook, `{"text":"t","blocks":{}}`, 400, "invalid_blocks_format"},
		"unknown block":                 {hook, blocks(`{"type":"banner"}`), 400, "invalid_blocks"},
		"block with an unknown key":     {hook, blocks(`{"type":"divider","color":"red"}`), 400, "invalid_blocks"},
		"section of 3000":               {hook, blocks(section(chars(3000))), 200, "ok"},
		"section of 3001":               {hook, blocks(section(chars(3001))), 400, "invalid_blocks"},
		"section of entities":           {hook, blocks(section(strings.Repeat("&amp;", 601))), 400, "invalid_blocks"},
		"emoji count twice":             {hook, blocks(section(strings.Repeat("😀", 1501))), 400, "invalid_blocks"},
		"empty section":                 {hook, blocks(section("")), 400, "invalid_blocks"},
		"section without text":          {hook, blocks(`{"type":"section"}`), 400, "invalid_blocks"},
		"section with text of a string": {hook, blocks(`{"type":"section","text":"plain"}`), 400, "invalid_blocks"},
		"header of 150":                 {hook, blocks(header(chars(150))), 200, "ok"},
		"header of 151":                 {hook, blocks(header(chars(151))), 400, "invalid_blocks"},
		"header in mrkdwn":              {hook, blocks(`{"type":"header","text":{"type":"mrkdwn","text":"h"}}`), 400, "invalid_blocks"},
		"50 blocks":                     {hook, blocks(repeated(`{"type":"divider"}`, 50)), 200, "ok"},
		"51 blocks":                     {hook, blocks(repeated(`{"type":"divider"}`, 51)), 400, "invalid_blocks"},
		"too much in all blocks":        {hook, blocks(repeated(section(chars(2700)), 5)), 400, "msg_blocks_too_long"},
		"ten fields":                    {hook, blocks(`{"type":"section","fields":[` + repeated(field, 10) + `]}`), 200, "ok"},
		"eleven fields":                 {hook, blocks(`{"type":"section","fields":[` + repeated(field, 11) + `]}`), 400, "invalid_blocks"},
		"field of 2001":                 {hook, blocks(`{"type":"section","fields":[{"type":"mrkdwn","text":"` + chars(2001) + `"}]}`), 400, "invalid_blocks"},
		"eleven context elements":       {hook, blocks(`{"type":"context","elements":[` + repeated(field, 11) + `]}`), 400, "invalid_blocks"},
		"context without elements":      {hook, blocks(`{"type":"context"}`), 400, "invalid_blocks"},
		"block_id twice":                {hook, blocks(`{"type":"divider","block_id":"a"},{"type":"divider","block_id":"a"}`), 400, "invalid_blocks"},
		"block_id of 256":               {hook, blocks(`{"type":"divider","block_id":"` + chars(256) + `"}`), 400, "invalid_blocks"},
		"button text of 76":             {hook, blocks(`{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"` + chars(76) + `"}}]}`), 400, "invalid_blocks"},
		"button with a link":            {hook, blocks(`{"type":"actions","elements":[{"type":"button","url":"https://a.b","text":{"type":"plain_text","text":"go"}}]}`), 200, "ok"},
	} {
		response := start(0, 0).send("POST", c.path, c.body)
		if got := text(t, response); response.StatusCode != c.status || got != c.answer {
			t.Errorf("%s: %d %q, want %d %q", name, response.StatusCode, got, c.status, c.answer)
		}
	}
}

func TestTooManyMessagesAreToldWhenToComeBack(t *testing.T) {
	f := start(1, 2)
	for i, want := range []int{200, 200, 429} {
		if got := f.send("POST", hook, `{"text":"x"}`); got.StatusCode != want {
			t.Fatalf("message %d: %d, want %d", i+1, got.StatusCode, want)
		} else if want == 429 && got.Header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After %q, want 1", got.Header.Get("Retry-After"))
		}
	}
	if got := f.send("POST", "/services/T0TEST/B0OTHER/x", `{"text":"x"}`); got.StatusCode != 200 {
		t.Errorf("another webhook: %d, want 200", got.StatusCode)
	}
	f.clock = f.clock.Add(time.Second)
	if got := f.send("POST", hook, `{"text":"x"}`); got.StatusCode != 200 {
		t.Errorf("a second later: %d, want 200", got.StatusCode)
	}
}

func TestSlowRatesAskForLongerPauses(t *testing.T) {
	f := start(0.1, 1)
	f.send("POST", hook, `{"text":"x"}`)
	if got := f.send("POST", hook, `{"text":"x"}`).Header.Get("Retry-After"); got != "10" {
		t.Errorf("Retry-After %q, want 10", got)
	}
}

func TestOrderedFaultsComeFirst(t *testing.T) {
	f := start(0, 0)
	f.send("POST", "/control", `{"fail":2}`)
	for i, want := range []int{500, 500, 200} {
		if got := f.send("POST", hook, `{"text":"x"}`).StatusCode; got != want {
			t.Errorf("request %d: %d, want %d", i+1, got, want)
		}
	}
	f.send("POST", "/control", `{"fail":1,"status":410,"body":"channel_is_archived"}`)
	if got := f.send("POST", hook, `{"text":"x"}`); got.StatusCode != 410 || text(t, got) != "channel_is_archived" {
		t.Errorf("%d, want 410 channel_is_archived", got.StatusCode)
	}
	if got := f.messages(t, "?all"); len(got) != 4 || got[0].Status != 500 || got[3].Answer != "channel_is_archived" {
		t.Errorf("recorded %+v", got)
	}
}

func (f *fixture) messages(t *testing.T, query string) (entries []entry) {
	t.Helper()
	if err := json.NewDecoder(f.send("GET", "/messages"+query, "").Body).Decode(&entries); err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestAcceptedMessagesAreListedAndEveryRequestIsRecorded(t *testing.T) {
	f := start(0, 0)
	f.send("POST", hook, `{"text":"first"}`)
	f.send("POST", hook, `{}`)
	f.send("POST", hook, `not JSON`)
	listed := f.messages(t, "")
	if len(listed) != 1 || string(listed[0].Body) != `{"text":"first"}` || !listed[0].Time.Equal(f.clock) {
		t.Errorf("listed %+v", listed)
	}
	lines := strings.Split(strings.TrimSpace(f.file.String()), "\n")
	if len(lines) != 3 || !strings.Contains(lines[1], `"answer":"no_text"`) || !strings.Contains(lines[2], `"body":"not JSON"`) {
		t.Errorf("file %q", lines)
	}
}

func TestMentionsAndLinksAreNoted(t *testing.T) {
	f := start(0, 0)
	f.send("POST", hook, blocks(section("<!channel> and <@U024BE7LH> see <https://x.y|this>, not &lt;!here&gt; <!subteam^S1>")))
	got := f.messages(t, "")[0]
	if fmt.Sprint(got.Mentions) != "[!channel !subteam^S1 @U024BE7LH]" || fmt.Sprint(got.Links) != "[https://x.y]" {
		t.Errorf("mentions %v, links %v", got.Mentions, got.Links)
	}
}

func TestTextOverTheLimitIsCutNotRefused(t *testing.T) {
	f := start(0, 0)
	if got := f.send("POST", hook, `{"text":"`+chars(40_001)+`"}`); got.StatusCode != 200 || !f.messages(t, "")[0].Cut {
		t.Errorf("%d, cut %v", got.StatusCode, f.messages(t, "")[0].Cut)
	}
}

func (f *fixture) call(t *testing.T, method, body string) map[string]any {
	t.Helper()
	var answer map[string]any
	response := f.send("POST", "/api/"+method, body, "Authorization", "Bearer xoxb-1", "Content-Type", "application/json")
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestTheWebAPIPostsUpdatesAndThreads(t *testing.T) {
	f := start(0, 0)
	first := f.call(t, "chat.postMessage", `{"channel":"C1","text":"new bug"}`)
	if first["ok"] != true {
		t.Fatalf("post: %v", first)
	}
	ts := first["ts"].(string)
	for body, want := range map[string]any{
		`{"channel":"C1","text":"again","thread_ts":"` + ts + `"}`: true,
		`{"channel":"C1","text":"again","thread_ts":"1.2"}`:        "thread_not_found",
		`{"channel":"C1"}`: "no_text",
		`{"text":"x"}`:     "channel_not_found",
	} {
		if got := f.call(t, "chat.postMessage", body); got["ok"] != want && got["error"] != want {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
	if got := f.call(t, "chat.update", `{"channel":"C1","ts":"`+ts+`","text":"10 times"}`); got["ok"] != true {
		t.Errorf("update: %v", got)
	}
	if got := f.call(t, "chat.update", `{"channel":"C2","ts":"`+ts+`","text":"x"}`); got["error"] != "message_not_found" {
		t.Errorf("update in another channel: %v", got)
	}
	listed := f.messages(t, "")
	if len(listed) != 2 || listed[0].Updates != 1 || !strings.Contains(string(listed[0].Body), "10 times") || listed[1].ThreadTS != ts {
		t.Errorf("listed %+v", listed)
	}
}

func TestTheWebAPITellsErrorsInTheBody(t *testing.T) {
	f := start(0, 0)
	got := f.call(t, "chat.postMessage", `{"channel":"C1","blocks":[`+section(chars(3001))+`]}`)
	want := "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
	if got["error"] != "invalid_blocks" || fmt.Sprint(got["errors"]) != "["+want+"]" {
		t.Errorf("%v, want invalid_blocks and %q", got, want)
	}
	for token, code := range map[string]string{"": "not_authed", "Bearer wrong": "invalid_auth"} {
		response := f.send("POST", postPath, `{"channel":"C1","text":"x"}`, "Authorization", token)
		if body := text(t, response); response.StatusCode != 200 || !strings.Contains(body, `"error":"`+code+`"`) {
			t.Errorf("token %q: %d %s, want 200 with %s", token, response.StatusCode, body, code)
		}
	}
}

func TestTheWebAPIIsLimitedForEachChannel(t *testing.T) {
	f := start(1, 1)
	f.call(t, "chat.postMessage", `{"channel":"C1","text":"x"}`)
	response := f.send("POST", postPath, `{"channel":"C1","text":"x"}`, "Authorization", "Bearer xoxb-1")
	if body := text(t, response); response.StatusCode != 429 || response.Header.Get("Retry-After") != "1" || !strings.Contains(body, "ratelimited") {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	if got := f.call(t, "chat.postMessage", `{"channel":"C2","text":"x"}`); got["ok"] != true {
		t.Errorf("another channel: %v", got)
	}
}

func TestRenderShowsWhatAPersonWouldSee(t *testing.T) {
	f := start(0, 0)
	f.send("POST", hook, blocks(
		header("checkout died"),
		section("*Cause:* a &lt;map&gt; &amp; `two` writers, <https://x.y|docs>\n```panic: a &lt; b\nmain.go:1```"),
		`{"type":"section","fields":[{"type":"mrkdwn","text":"*Namespace*\nshop"}]}`,
		`{"type":"context","elements":[{"type":"plain_text","text":"esc \u001b[31m"}]}`))
	got := text(t, f.send("GET", "/render", ""))
	want := []string{"checkout died", "Cause: a <map> & two writers, docs (https://x.y)", "│ panic: a < b\n│ main.go:1", "  Namespace: shop", `esc \x1b[31m`}
	for _, part := range want {
		if !strings.Contains(got, part) {
			t.Errorf("no %q in\n%s", part, got)
		}
	}
	if strings.Contains(got, "&lt;") || strings.Contains(got, "```") {
		t.Errorf("markup left in\n%s", got)
	}
}
