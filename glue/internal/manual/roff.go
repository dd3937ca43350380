package manual

import (
	"fmt"
	"strings"
	"time"
)

// About is what all manual pages of a program say.
type About struct {
	Program, Version string
	Date             time.Time
	// SeeAlso are other pages, such as "wlsgateway.toml(5)".
	SeeAlso []string
}

// roff writes a manual page for man(7).
type roff struct{ strings.Builder }

func (r *roff) title(name string, section int, about About) {
	fmt.Fprintf(r, ".TH %s %d %s %q \"Ucam-WebAuth for Go\"\n", strings.ToUpper(name), section, about.Date.UTC().Format(time.DateOnly), about.Version)
}

func (r *roff) section(name string) { fmt.Fprintf(r, ".SH %s\n", strings.ToUpper(escaped(name))) }

func (r *roff) subsection(name string) { fmt.Fprintf(r, ".SS %s\n", escaped(name)) }

// name is the section that indexes of manual pages are made from.
func (r *roff) name(name, does string) {
	r.section("Name")
	fmt.Fprintf(r, "%s \\- %s\n", escaped(name), escaped(does))
}

// text writes paragraphs, with a macro between them.
func (r *roff) text(text, between string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			r.WriteString(between + "\n")
		}
		for line := range strings.Lines(paragraph) {
			r.line(strings.TrimSpace(line))
		}
	}
}

// line writes one that is none of roff's requests.
func (r *roff) line(text string) {
	text = escaped(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, `\(aq`) {
		text = `\&` + text
	}
	r.WriteString(text + "\n")
}

// literal writes lines as they are.
func (r *roff) literal(lines []string) {
	r.WriteString(".EX\n")
	for _, line := range lines {
		r.line(line)
	}
	r.WriteString(".EE\n")
}

func (r *roff) seeAlso(pages []string) {
	if len(pages) == 0 {
		return
	}
	r.section("See also")
	for i, page := range pages {
		name, section, _ := strings.Cut(page, "(")
		comma := ","
		if i == len(pages)-1 {
			comma = ""
		}
		fmt.Fprintf(r, ".BR %s (%s%s\n", escaped(name), section, comma)
	}
}

// escaped returns a text that roff shows as it is: hyphens and quotes can be copied.
func escaped(text string) string {
	return strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", `\(ga`, `^`, `\(ha`, `~`, `\(ti`, `"`, `\(dq`).Replace(text)
}
