package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// style turns a message into text for a terminal: what a person in the channel would see.
type style struct{ bold, dim, off string }

var (
	plain = style{}
	ansi  = style{bold: "\x1b[1m", dim: "\x1b[2m", off: "\x1b[0m"}
)

const width = 100

func (s style) message(e entry) string {
	title := fmt.Sprintf("── message %d, %s ", e.N, e.Time.Format("15:04:05"))
	if e.Updates > 0 {
		title += fmt.Sprintf("(updated %d×) ", e.Updates)
	}
	if e.ThreadTS != "" {
		title += "(in a thread) "
	}
	var out strings.Builder
	fmt.Fprintln(&out, s.dim+title+strings.Repeat("─", max(0, width-len([]rune(title))))+s.off)
	var body struct {
		Text   string           `json:"text"`
		Blocks []map[string]any `json:"blocks"`
	}
	json.Unmarshal(e.Body, &body) // it was accepted, so it parses
	if len(body.Blocks) == 0 {
		fmt.Fprintln(&out, s.mrkdwn(body.Text)) // with blocks, the text is only for notifications
	}
	for _, block := range body.Blocks {
		fmt.Fprintln(&out, s.block(block))
	}
	return out.String()
}

func (s style) block(block map[string]any) string {
	switch block["type"] {
	case "header":
		return s.bold + readable(textOf(block["text"])) + s.off
	case "section":
		return s.section(block)
	case "context":
		return s.dim + strings.Join(s.each(block["elements"]), "  ") + s.off
	case "actions":
		return strings.Join(s.each(block["elements"]), "  ")
	case "divider":
		return s.dim + strings.Repeat("─", width/2) + s.off
	case "markdown":
		return readable(textOf(block))
	case "image":
		return "[" + readable(fmt.Sprint(block["alt_text"])) + "]"
	}
	var texts []string
	walk(block["elements"], func(text string) { texts = append(texts, readable(text)) })
	return strings.Join(texts, " ")
}

func (s style) section(block map[string]any) string {
	var parts []string
	if text := textOf(block["text"]); text != "" {
		parts = append(parts, s.mrkdwn(text))
	}
	for _, field := range s.each(block["fields"]) {
		parts = append(parts, "  "+strings.ReplaceAll(field, "\n", ": "))
	}
	if accessory, given := block["accessory"]; given {
		parts = append(parts, s.each([]any{accessory})...)
	}
	return strings.Join(parts, "\n")
}

// each renders text objects, images and buttons.
func (s style) each(elements any) []string {
	var texts []string
	list, _ := elements.([]any)
	for _, value := range list {
		element, _ := value.(map[string]any)
		switch element["type"] {
		case "button":
			button := "[ " + readable(textOf(element["text"])) + " ]"
			if url, given := element["url"].(string); given {
				button += " " + readable(url)
			}
			texts = append(texts, button)
		case "image":
			texts = append(texts, "["+readable(fmt.Sprint(element["alt_text"]))+"]")
		default:
			texts = append(texts, s.mrkdwn(textOf(element)))
		}
	}
	return texts
}

func textOf(object any) string {
	fields, _ := object.(map[string]any)
	text, _ := fields["text"].(string)
	return text
}

var (
	labelled = regexp.MustCompile(`<((?:https?|mailto):[^|>]*)\|([^>]*)>`)
	bare     = regexp.MustCompile(`<((?:https?|mailto):[^|>]*)>`)
	called   = regexp.MustCompile(`<[!@]([^|>]*)(?:\|[^>]*)?>`)
	strong   = regexp.MustCompile(`(^|[\s(])\*([^*\n]+)\*`)
	code     = regexp.MustCompile("`([^`\n]+)`")
)

// mrkdwn sets code blocks off by a bar and resolves links, mentions and entities outside of them.
func (s style) mrkdwn(text string) string {
	var out []string
	for i, part := range strings.Split(text, "```") {
		if i%2 == 1 {
			bar := s.dim + "│ " + s.off
			out = append(out, bar+strings.ReplaceAll(readable(strings.Trim(part, "\n")), "\n", "\n"+bar))
			continue
		}
		if part = strings.Trim(part, "\n"); part != "" {
			out = append(out, s.inline(part))
		}
	}
	return strings.Join(out, "\n")
}

func (s style) inline(text string) string {
	text = labelled.ReplaceAllString(text, "$2 ($1)")
	text = bare.ReplaceAllString(text, "$1")
	text = called.ReplaceAllString(text, "@$1")
	text = readable(text)
	text = strong.ReplaceAllString(text, "$1"+s.bold+"$2"+s.off)
	return code.ReplaceAllString(text, "$1")
}

var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// readable resolves entities and shows control characters instead of obeying them.
func readable(text string) string {
	var out strings.Builder
	for _, char := range entities.Replace(text) {
		if char < ' ' && char != '\n' && char != '\t' || char == 0x7f {
			fmt.Fprintf(&out, `\x%02x`, char)
		} else {
			out.WriteRune(char)
		}
	}
	return out.String()
}
