package main

import "fmt"

// blockKind is how one type of block is checked.
type blockKind struct {
	keys string // allowed beside type and block_id
	run  func(c *checker, where string, block map[string]any)
}

// blockKinds are the blocks that a message may have, but for those that only make sense in interactive apps.
var blockKinds map[string]blockKind

func init() { // a literal would be an initialization cycle
	blockKinds = map[string]blockKind{
		"header":    {"text", (*checker).header},
		"section":   {"text fields accessory expand", (*checker).section},
		"context":   {"elements", (*checker).context},
		"divider":   {"", func(*checker, string, map[string]any) {}},
		"actions":   {"elements", (*checker).actions},
		"image":     {"image_url slack_file alt_text title", (*checker).image},
		"markdown":  {"text", (*checker).markdown},
		"rich_text": {"elements", (*checker).richText},
	}
}

func (c *checker) header(where string, block map[string]any) {
	c.text(where+"/text", block["text"], maxHeader, "plain_text")
}

func (c *checker) section(where string, block map[string]any) {
	fields, hasFields := block["fields"].([]any)
	if _, hasText := block["text"]; hasText || !hasFields {
		c.text(where+"/text", block["text"], maxSection, "plain_text", "mrkdwn")
	}
	if hasFields {
		c.count(where+"/fields", fields, maxFields)
		for i, field := range fields {
			c.text(fmt.Sprintf("%s/fields/%d", where, i), field, maxField, "plain_text", "mrkdwn")
		}
	}
	if accessory, given := block["accessory"]; given {
		c.element(where+"/accessory", accessory)
	}
}

func (c *checker) context(where string, block map[string]any) {
	elements := c.elements(where, block, maxContext)
	for i, element := range elements {
		here := fmt.Sprintf("%s/elements/%d", where, i)
		if object, _ := element.(map[string]any); object["type"] == "image" {
			c.image(here, object)
			continue
		}
		c.text(here, element, maxSection, "plain_text", "mrkdwn")
	}
}

func (c *checker) actions(where string, block map[string]any) {
	for i, element := range c.elements(where, block, maxActions) {
		c.element(fmt.Sprintf("%s/elements/%d", where, i), element)
	}
}

// element checks a button or an image: nothing else works without an app that answers interactions.
func (c *checker) element(where string, value any) {
	element, _ := value.(map[string]any)
	switch element["type"] {
	case "button":
		c.only(where, element, "type action_id text url value style accessibility_label confirm")
		c.text(where+"/text", element["text"], maxButton, "plain_text")
		c.optional(where+"/url", element["url"], maxURL)
		c.optional(where+"/value", element["value"], maxValue)
		c.optional(where+"/action_id", element["action_id"], maxBlockID)
		if style, given := element["style"]; given && style != "primary" && style != "danger" {
			c.say(where+"/style", "must be one of: primary, danger")
		}
	case "image":
		c.image(where, element)
	default:
		c.say(where+"/type", "unsupported type: %v", element["type"])
	}
}

func (c *checker) image(where string, block map[string]any) {
	if _, uploaded := block["slack_file"]; !uploaded {
		c.required(where+"/image_url", block["image_url"], maxURL)
	}
	c.required(where+"/alt_text", block["alt_text"], maxAltText)
	if title, given := block["title"]; given {
		c.text(where+"/title", title, maxAltText, "plain_text")
	}
}

func (c *checker) markdown(where string, block map[string]any) {
	c.required(where+"/text", block["text"], maxMarkdown)
}

// richText looks no deeper than the types of its elements: no limits are documented below.
func (c *checker) richText(where string, block map[string]any) {
	for i, value := range c.elements(where, block, -1) {
		element, _ := value.(map[string]any)
		switch element["type"] {
		case "rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote":
		default:
			c.say(fmt.Sprintf("%s/elements/%d/type", where, i), "unsupported type: %v", element["type"])
		}
	}
}

// text checks a text object.
func (c *checker) text(where string, value any, limit int, kinds ...string) {
	object, isObject := value.(map[string]any)
	if !isObject {
		c.say(where, "missing required field: text")
		return
	}
	kind, _ := object["type"].(string)
	if !contains(kinds, kind) {
		c.say(where+"/type", "unsupported type: %s", kind)
	}
	allowed := "type text emoji"
	if kind == "mrkdwn" {
		allowed = "type text verbatim"
	}
	c.only(where, object, allowed)
	c.required(where+"/text", object["text"], limit)
}

func (c *checker) required(where string, value any, limit int) {
	if text, isText := value.(string); !isText {
		c.say(where, "missing required field")
	} else if text == "" {
		c.say(where, "must be more than 0 characters")
	}
	c.optional(where, value, limit)
}

func (c *checker) optional(where string, value any, limit int) {
	if text, _ := value.(string); length(text) > limit {
		c.say(where, "must be less than %d characters", limit+1)
	}
}

func (c *checker) elements(where string, block map[string]any, limit int) []any {
	elements, _ := block["elements"].([]any)
	c.count(where+"/elements", elements, limit)
	return elements
}

// count wants at least one item and no more than limit, if that is not negative.
func (c *checker) count(where string, items []any, limit int) {
	switch {
	case len(items) == 0:
		c.say(where, "no fewer than 1 items allowed")
	case limit >= 0 && len(items) > limit:
		c.say(where, "no more than %d items allowed", limit)
	}
}
