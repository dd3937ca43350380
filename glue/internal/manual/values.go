package manual

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Values are what keys have in a configuration file, by their names from the top of the file: a
// key of a [[table]] has that of the first one where it stands.
type Values map[string]any

// ParseValues reads a configuration file.
func ParseValues(text []byte) (Values, error) {
	var tree map[string]any
	if err := toml.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	v := Values{}
	v.collect(tree, "")
	return v, nil
}

func (v Values) collect(tree map[string]any, prefix string) {
	for name, value := range tree {
		v.set(prefix+name, value)
		switch value := value.(type) {
		case map[string]any:
			v.collect(value, prefix+name+".")
		case []any:
			for _, element := range value {
				if table, ok := element.(map[string]any); ok {
					v.collect(table, prefix+name+".")
				}
			}
		}
	}
}

func (v Values) set(name string, value any) {
	if _, there := v[name]; !there {
		v[name] = value
	}
}

// Add adds those that v has not.
func (v Values) Add(more Values) {
	for name, value := range more {
		v.set(name, value)
	}
}

// toTOML writes a value as it stands behind the equals sign.
func toTOML(value any) (string, error) {
	switch value := value.(type) {
	case string:
		if !strings.ContainsAny(value, "\"\\\n") {
			return `"` + value + `"`, nil
		}
	case []any:
		var all []string
		for _, element := range value {
			text, err := toTOML(element)
			if err != nil {
				return "", err
			}
			all = append(all, text)
		}
		return "[" + strings.Join(all, ", ") + "]", nil
	}
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).SetTablesInline(true).Encode(map[string]any{"x": value}); err != nil {
		return "", err
	}
	text, ok := strings.CutPrefix(strings.TrimSuffix(b.String(), "\n"), "x = ")
	if !ok {
		return "", fmt.Errorf("%v cannot be written in one line", value)
	}
	return text, nil
}
