package manual

import (
	"fmt"
	"regexp"
	"strings"
)

// Page1 returns the manual page of a program: what it prints as its help. The first paragraph
// says what it does; indented lines are shown as they are, the first of them as the synopsis.
func Page1(about About, help string) (string, error) {
	paragraphs := strings.Split(strings.Trim(help, "\n"), "\n\n")
	does, ok := strings.CutPrefix(firstSentence(paragraphs[0]), about.Program+" ")
	if !ok {
		return "", fmt.Errorf("the help of %s does not begin with its name and what it does, but so: %s", about.Program, paragraphs[0])
	}
	var r roff
	r.title(about.Program, 1, about)
	r.name(about.Program, strings.TrimPrefix(does, "is "))
	synopsis, rest, err := takeSynopsis(about.Program, paragraphs[1:])
	if err != nil {
		return "", err
	}
	r.section("Synopsis")
	r.literal(synopsis)
	r.section("Description")
	r.text(paragraphs[0], ".PP")
	for _, paragraph := range rest {
		r.paragraph(strings.Split(paragraph, "\n"))
	}
	r.seeAlso(about.SeeAlso)
	return r.String(), nil
}

// takeSynopsis finds the lines that show how a program is called.
func takeSynopsis(program string, paragraphs []string) (lines, rest []string, err error) {
	if len(paragraphs) > 0 {
		first := paragraphs[0]
		if usage, ok := strings.CutPrefix(first, "Usage:"); ok {
			first = strings.TrimLeft(usage, "\n")
		}
		for _, line := range strings.Split(first, "\n") {
			lines = append(lines, strings.TrimSpace(line))
		}
		if strings.HasPrefix(lines[0], program+" ") {
			return lines, paragraphs[1:], nil
		}
	}
	return nil, nil, fmt.Errorf("the help of %s does not say how it is called in its second paragraph", program)
}

func firstSentence(text string) string {
	text = strings.ReplaceAll(text, "\n", " ")
	if i := strings.Index(text, ". "); i >= 0 {
		return text[:i]
	}
	return strings.TrimSuffix(text, ".")
}

// heading is a line of its own above indented ones, or what introduces the exit status.
var heading = regexp.MustCompile(`^([A-Z][A-Za-z ]+):(?: |$)`)

func (r *roff) paragraph(lines []string) {
	switch m := heading.FindStringSubmatch(lines[0]); {
	case m != nil && m[1] == "Exit status":
		r.section(m[1])
		lines[0] = lines[0][len(m[0]):]
	case m != nil && lines[0] == m[1]+":" && len(lines) > 1 && strings.HasPrefix(lines[1], " "):
		r.subsection(m[1])
		lines = lines[1:]
	default:
		r.WriteString(".PP\n")
	}
	for len(lines) > 0 {
		n := 0
		for n < len(lines) && strings.HasPrefix(lines[n], "  ") {
			n++
		}
		if n > 0 {
			r.literal(lines[:n])
			lines = lines[n:]
			continue
		}
		r.line(lines[0])
		lines = lines[1:]
	}
}
