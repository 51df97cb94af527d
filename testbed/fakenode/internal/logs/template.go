// Package logs makes up what a container printed. A log is a pure function of its instance, so nothing is kept for the
// thousands of containers whose log nobody ever reads.
package logs

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"sort"
	"strconv"
	"strings"
	"text/template"
)

//go:embed templates/*.log
var builtin embed.FS

// Template is a way to end: what is printed and what the kubelet makes of it.
type Template struct {
	Name    string
	Exit    int
	Reason  string // empty: by the exit code
	Cause   string // what a watcher should call it
	Culprit string // file:line that a watcher should name
	text    *template.Template
}

// Library is all templates by name.
type Library map[string]*Template

// Builtin returns the templates that come with this program. Most are recordings of real processes.
func Builtin() (Library, error) {
	folder, err := fs.Sub(builtin, "templates")
	if err != nil {
		return nil, err
	}
	library := Library{}
	return library, library.Add(folder)
}

// Add reads every .log file of a folder; a later one of the same name wins.
func (l Library) Add(folder fs.FS) error {
	names, err := fs.Glob(folder, "*.log")
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return err
		}
		parsed, err := parse(strings.TrimSuffix(name, ".log"), string(text))
		if err != nil {
			return fmt.Errorf("log template %s: %w", name, err)
		}
		l[parsed.Name] = parsed
	}
	return nil
}

// Names lists the templates in order.
func (l Library) Names() []string {
	names := make([]string, 0, len(l))
	for name := range l {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// parse reads a template: an optional first line "#! exit=2 cause=WORD", then the text. Its placeholders are in @{ }@,
// as traces are full of {{: @{.Bug}@ is the bug's name, @{range upto 60}@ ... @{end}@ repeats.
func parse(name, text string) (*Template, error) {
	parsed := &Template{Name: name, Exit: 1}
	if header, rest, found := strings.Cut(text, "\n"); found && strings.HasPrefix(header, "#! ") {
		text = rest
		for _, field := range strings.Fields(header)[1:] {
			if err := parsed.set(field); err != nil {
				return nil, err
			}
		}
	}
	var err error
	parsed.text, err = template.New(name).Delims("@{", "}@").Funcs(template.FuncMap{"upto": upto}).Parse(text)
	return parsed, err
}

func (t *Template) set(field string) (err error) {
	key, value, _ := strings.Cut(field, "=")
	switch key {
	case "exit":
		t.Exit, err = strconv.Atoi(value)
	case "reason":
		t.Reason = value
	case "cause":
		t.Cause = value
	case "culprit":
		t.Culprit = value
	default:
		err = fmt.Errorf("no key %q: want exit, reason, cause or culprit", key)
	}
	return err
}

// upto numbers goroutines well away from those that the text names itself.
func upto(n int) []int {
	const first = 1000
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = first + i
	}
	return numbers
}

// render returns the text for a bug.
func (t *Template) render(bug int) string {
	var out bytes.Buffer
	if err := t.text.Execute(&out, struct{ Bug string }{bugName(bug)}); err != nil {
		return fmt.Sprintf("the template %s does not render: %v\n", t.Name, err)
	}
	return out.String()
}

var alphabet = []string{
	"Alpha", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "India", "Juliett", "Kilo", "Lima", "Mike",
	"November", "Oscar", "Papa", "Quebec", "Romeo", "Sierra", "Tango", "Uniform", "Victor", "Whiskey", "Xray", "Yankee", "Zulu",
}

// bugName turns a number into a word without digits, which a watcher would take for a variable part. Bug 0 has no name.
func bugName(bug int) (name string) {
	for ; bug > 0; bug /= len(alphabet) {
		name += alphabet[bug%len(alphabet)]
	}
	return name
}
