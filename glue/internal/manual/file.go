package manual

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// File is all that is known about a configuration file.
type File struct {
	*Table
	// Smallest is the smallest useful file, and Defaults what the program makes of it.
	Smallest, Defaults Values
	// Examples are for keys that have no default.
	Examples Values
}

// Example returns a configuration file with every key: those of the smallest file, and all others
// as comments, at their default or with an example.
func (f *File) Example(heading string) (string, error) {
	e := exampleWriter{file: f}
	e.comment(heading)
	if err := e.table(f.Table, ""); err != nil {
		return "", err
	}
	return e.b.String(), nil
}

// setting returns what stands for a key, and whether that is what the program takes it to be.
func (f *File) setting(path string) (text string, isDefault bool, err error) {
	value, isDefault := f.Defaults[path]
	if !isDefault {
		var ok bool
		if value, ok = f.Examples[path]; !ok {
			return "", false, fmt.Errorf("%s has neither a default nor an example", path)
		}
	}
	text, err = toTOML(value)
	return text, isDefault, err
}

type exampleWriter struct {
	file *File
	b    strings.Builder
}

func (e *exampleWriter) comment(text string) {
	for line := range strings.Lines(text) {
		e.b.WriteString(strings.TrimRight("# "+line, " \n") + "\n")
	}
}

// table writes keys first, as TOML wants it, and then the tables among them.
func (e *exampleWriter) table(t *Table, prefix string) error {
	for _, k := range t.Keys {
		if k.Table != nil {
			continue
		}
		if k.Doc != "" {
			e.b.WriteString("\n")
			e.comment(k.Doc)
		}
		for _, v := range k.Values {
			e.comment(v.Doc)
		}
		text, isDefault, err := e.file.setting(prefix + k.Name)
		if err != nil {
			return err
		}
		line := k.Name + " = " + text
		switch _, needed := e.file.Smallest[prefix+k.Name]; {
		case needed:
		case isDefault:
			line = "#" + line
		default:
			line = "#" + line + "  # an example"
		}
		e.b.WriteString(line + "\n")
	}
	for _, k := range t.Keys {
		if k.Table == nil {
			continue
		}
		if err := e.inner(k, prefix+k.Name); err != nil {
			return err
		}
	}
	return nil
}

func (e *exampleWriter) inner(k *Key, path string) error {
	e.b.WriteString("\n")
	e.comment(k.Doc)
	header := k.header(path)
	if _, needed := e.file.Smallest[path]; !needed {
		header = "#" + header
	}
	e.b.WriteString(header + "\n")
	if !k.Table.Named {
		return e.table(k.Table, path+".")
	}
	before, after := "", ""
	names, needed := e.file.Smallest[path].(map[string]any)
	if !needed {
		names, _ = e.file.Examples[path].(map[string]any)
		before, after = "#", "  # an example"
	}
	if len(names) == 0 {
		return fmt.Errorf("%s has no example", path)
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		text, err := toTOML(map[string]any{name: names[name]})
		if err != nil {
			return err
		}
		e.b.WriteString(before + strings.Trim(text, "{ }") + after + "\n")
	}
	return nil
}
