package script

import (
	"fmt"
	"strconv"
	"strings"
)

// split cuts a script into parts at ';' and line ends outside of quotes, and drops the empty ones.
func split(text string) (parts []string) {
	begin, quoted := 0, false
	cut := func(end int) {
		if part := text[begin:end]; strings.TrimSpace(part) != "" {
			parts = append(parts, part)
		}
		begin = end + 1
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case (c == ';' || c == '\n') && !quoted:
			cut(i)
		}
	}
	if begin < len(text) {
		cut(len(text))
	}
	return parts
}

// fields reads key=value pairs; a value in double quotes may hold spaces and Go's escapes.
func fields(part string) (words []word, err error) {
	for rest := strings.TrimSpace(part); rest != ""; rest = strings.TrimSpace(rest) {
		key, after, found := strings.Cut(rest, "=")
		if !found || strings.ContainsAny(key, " \t\"") {
			return nil, fmt.Errorf("%q is not key=value", firstWord(rest))
		}
		value := firstWord(after)
		rest = after[len(value):]
		if strings.HasPrefix(after, `"`) {
			quoted, err := strconv.QuotedPrefix(after)
			if err != nil {
				return nil, fmt.Errorf("the quotes of %s do not close", key)
			}
			rest = after[len(quoted):]
			if value, err = strconv.Unquote(quoted); err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
		}
		words = append(words, word{key, value})
	}
	return words, nil
}

func firstWord(text string) string {
	if end := strings.IndexAny(text, " \t"); end >= 0 {
		return text[:end]
	}
	return text
}
