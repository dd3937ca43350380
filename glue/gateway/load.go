package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"
)

// maxFile is the largest configuration file that is read, in bytes.
const maxFile = 1 << 20

// Load reads a configuration file. It fills in the defaults, makes paths absolute and
// reports every mistake with its place: the error is of type Problems, unless the file
// cannot be read. A file whose last line has no end is refused, since that is how one looks
// that is being written; to be safe, replace files by renaming new ones. Files that the configuration names are not looked at yet; New does.
func Load(path string) (*Config, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	document, err := readBounded(path, maxFile)
	if err != nil {
		return nil, err
	}
	c := &Config{source: &source{file: path, dir: filepath.Dir(whole)}}
	if isCut(document) {
		return nil, Problems{{File: path, Line: bytes.Count(document, []byte{'\n'}) + 1, Column: 1, Text: cutText}}
	}
	if err := c.parse(document); err != nil {
		return nil, err
	}
	return c, nil
}

// readBounded reads a file that must not be larger than limit.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(text)) > limit:
		return nil, fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return text, nil
}

// parse fills c in from a document. Where that is no TOML, nothing else can be said about
// it; otherwise what cannot be stored is reported together with what means nothing.
func (c *Config) parse(document []byte) error {
	document = bytes.TrimPrefix(document, []byte("\ufeff")) // some editors begin files so
	var tree map[string]any
	if err := toml.Unmarshal(document, &tree); err != nil {
		return Problems{c.syntaxProblem(err)}
	}
	c.source.places = locate(document)
	d := decoder{cfg: c, refused: map[string]bool{}}
	d.decode(tree)
	problems := d.problems
	for _, p := range c.check() {
		if !d.refused[p.Key] { // what was not stored looks as if it were missing
			problems = append(problems, p)
		}
	}
	return problems.sorted()
}

func (c *Config) syntaxProblem(err error) *Problem {
	p := &Problem{File: c.source.file, Line: 1, Column: 1, Text: err.Error()}
	if at := (*toml.DecodeError)(nil); errors.As(err, &at) {
		p.Line, p.Column = at.Position()
		p.Text = "this is not TOML: " + at.Error()
	}
	return p
}
