package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// message is what a webhook or chat.postMessage is sent.
type message struct {
	Channel     string            `json:"channel"`
	TS          string            `json:"ts"` // chat.update: which message
	ThreadTS    string            `json:"thread_ts"`
	Text        string            `json:"text"`
	Blocks      json.RawMessage   `json:"blocks"`
	Attachments []json.RawMessage `json:"attachments"`

	blocks    []map[string]any
	truncated bool
}

// refusal is why Slack would not take a message.
type refusal struct {
	status  int      // of a webhook's answer; the Web API answers 200 whatever the error
	code    string   // the body of a webhook's answer, the Web API's `error`
	details []string // the Web API's `errors`: only there does Slack tell more
}

// parse reads and checks a message by Slack's rules.
func parse(body []byte) (*message, *refusal) {
	msg := new(message)
	if !utf8.Valid(body) || !isObject(body) || json.Unmarshal(body, msg) != nil {
		return nil, &refusal{status: 400, code: "invalid_payload"}
	}
	if len(msg.Blocks) > 0 && string(msg.Blocks) != "null" {
		if json.Unmarshal(msg.Blocks, &msg.blocks) != nil {
			return nil, &refusal{status: 400, code: "invalid_blocks_format"}
		}
	}
	if msg.Text == "" && len(msg.blocks) == 0 && len(msg.Attachments) == 0 {
		return nil, &refusal{status: 400, code: "no_text"}
	}
	if problems := checkBlocks(msg.blocks); len(problems) > 0 {
		return nil, &refusal{status: 400, code: "invalid_blocks", details: problems}
	}
	if size := sizeOf(msg.blocks); size > maxAllBlocks {
		return nil, &refusal{status: 400, code: "msg_blocks_too_long"}
	}
	msg.Text, msg.truncated = cut(msg.Text, maxText)
	return msg, nil
}

func isObject(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) }

// length counts as JavaScript does: whether Slack counts so is not documented, but no other way counts more.
func length(text string) int { return len(utf16.Encode([]rune(text))) }

func cut(text string, limit int) (string, bool) {
	runes := []rune(text)
	if len(runes) <= limit {
		return text, false
	}
	return string(runes[:limit]), true
}

// sizeOf adds up all the text that blocks hold, at any depth.
func sizeOf(value any) (size int) {
	switch value := value.(type) {
	case []map[string]any:
		for _, item := range value {
			size += sizeOf(item)
		}
	case []any:
		for _, item := range value {
			size += sizeOf(item)
		}
	case map[string]any:
		for key, item := range value {
			if text, ok := item.(string); ok && key == "text" {
				size += length(text)
			} else {
				size += sizeOf(item)
			}
		}
	}
	return size
}

// checker collects what is wrong, each with where it is.
type checker struct{ problems []string }

func (c *checker) say(where, format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...)+" [json-pointer:"+where+"]")
}

func checkBlocks(blocks []map[string]any) []string {
	var c checker
	if len(blocks) > maxBlocks {
		c.say("/blocks", "no more than %d items allowed", maxBlocks)
	}
	ids := map[string]bool{}
	for i, block := range blocks {
		where := fmt.Sprintf("/blocks/%d", i)
		c.blockID(where+"/block_id", block, ids)
		c.block(where, block)
	}
	return c.problems
}

func (c *checker) blockID(where string, block map[string]any, seen map[string]bool) {
	id, given := block["block_id"]
	if !given {
		return
	}
	text, isText := id.(string)
	switch {
	case !isText:
		c.say(where, "must be a string")
	case length(text) > maxBlockID:
		c.say(where, "must be less than %d characters", maxBlockID+1)
	case seen[text]:
		c.say(where, "duplicate block_id: %s", text)
	}
	seen[text] = true
}

func (c *checker) block(where string, block map[string]any) {
	kind, _ := block["type"].(string)
	check, known := blockKinds[kind]
	if !known {
		c.say(where+"/type", "unsupported type: %s", kind)
		return
	}
	c.only(where, block, "type block_id "+check.keys)
	check.run(c, where, block)
}

// only reports keys that an object of this kind does not have.
func (c *checker) only(where string, object map[string]any, keys string) {
	known := strings.Fields(keys)
	for key := range object {
		if !contains(known, key) {
			c.say(where+"/"+key, "invalid additional property: %s", key)
		}
	}
}

func contains(list []string, item string) bool {
	for _, entry := range list {
		if entry == item {
			return true
		}
	}
	return false
}
