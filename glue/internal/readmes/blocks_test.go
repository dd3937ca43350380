package readmes

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../../.."

// block is what a README shows between backquotes.
type block struct {
	file     string // the README, from the root of the repository
	line     int    // its first line there
	language string
	text     string
}

func (b block) String() string { return fmt.Sprintf("%s:%d (%s)", b.file, b.line, b.language) }

// documents are the files for people to read, from the root of the repository.
func documents(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	tree := os.DirFS(root)
	require.NoError(t, fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && name != "." || d.Name() == "node_modules" || d.Name() == "testdata"):
			return fs.SkipDir
		case path.Ext(name) == ".md":
			text, err := fs.ReadFile(tree, name)
			texts[name] = string(text)
			return err
		}
		return nil
	}))
	return texts
}

// readmes are those of the documents whose blocks are tested here.
func readmes(t *testing.T) map[string]string {
	t.Helper()
	texts := documents(t)
	for name := range texts {
		if path.Base(name) != "README.md" {
			delete(texts, name)
		}
	}
	require.Contains(t, texts, "README.md")
	require.Contains(t, texts, "glue/gateway/README.md")
	return texts
}

// cut divides a document into its blocks and its other lines, which keep their numbers.
func cut(file, text string) (blocks []block, prose []string, err error) {
	var open *block
	for i, line := range strings.Split(text, "\n") {
		fence := strings.HasPrefix(strings.TrimLeft(line, " "), "```")
		switch {
		case fence && open == nil:
			open = &block{file: file, line: i + 2, language: strings.TrimPrefix(line, "```")}
		case fence:
			blocks, open = append(blocks, *open), nil
		case open != nil:
			open.text += line + "\n"
		}
		if fence || open != nil {
			line = ""
		}
		prose = append(prose, line)
	}
	if open != nil {
		return nil, nil, fmt.Errorf("%s has no end", open)
	}
	return blocks, prose, nil
}

var (
	code = regexp.MustCompile("`([^`]+)`")
	tool = regexp.MustCompile(`^go [a-z]+ `)
)

// inline are the commands of the Go tool that a document's sentences quote.
func inline(file string, prose []string) (commands []block) {
	for _, match := range code.FindAllStringSubmatch(strings.Join(prose, "\n"), -1) {
		text := strings.ReplaceAll(match[1], "\n", " ")
		if tool.MatchString(text) {
			commands = append(commands, block{file: file, language: "sh", text: text})
		}
	}
	return commands
}
