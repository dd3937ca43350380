package config

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// locate finds the position of every key and array element of a document that is known to
// be well-formed: of a table or an array that of its name, of anything else that of its
// value.
func locate(document []byte) map[string]Position {
	l := locator{document: document, positions: map[string]Position{}, elements: map[string]int{}}
	l.parser.Reset(document)
	table := ""
	for l.parser.NextExpression() {
		switch e := l.parser.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = l.header(e)
		case unstable.KeyValue:
			l.keyValue(table, e)
		}
	}
	return l.positions
}

type locator struct {
	document  []byte
	parser    unstable.Parser
	positions map[string]Position
	elements  map[string]int // how many elements an array of tables has so far
}

// header notes a [table] or [[table]], and returns its key.
func (l *locator) header(e *unstable.Node) string {
	key, at := "", Position{}
	for it := e.Key(); it.Next(); {
		if at == (Position{}) {
			at = l.position(it.Node().Raw)
		}
		key = Join(key, string(it.Node().Data))
		switch {
		case it.IsLast() && e.Kind == unstable.ArrayTable:
			l.note(key, at)
			l.elements[key]++
			key = Element(key, l.elements[key])
		case l.elements[key] > 0:
			key = Element(key, l.elements[key])
		}
		l.note(key, at)
	}
	return key
}

func (l *locator) keyValue(table string, e *unstable.Node) {
	key, at := table, Position{}
	for it := e.Key(); it.Next(); {
		if at == (Position{}) {
			at = l.position(it.Node().Raw)
		}
		key = Join(key, string(it.Node().Data))
		l.note(key, at)
	}
	l.value(key, e.Value(), at)
}

// value notes a value and what is in it; at is where its key is.
func (l *locator) value(key string, v *unstable.Node, at Position) {
	if v.Raw.Length > 0 {
		at = l.position(v.Raw)
	}
	l.positions[key] = at
	n := 0
	for it := v.Children(); it.Next(); {
		switch v.Kind {
		case unstable.InlineTable:
			l.keyValue(key, it.Node())
		case unstable.Array:
			n++
			l.value(Element(key, n), it.Node(), at)
		}
	}
}

// note keeps the first position of a key, and of its name.
func (l *locator) note(key string, at Position) {
	if _, ok := l.positions[key]; !ok {
		l.positions[key], l.positions[nameOf(key)] = at, at
	}
}

func (l *locator) position(r unstable.Range) Position {
	before := l.document[:r.Offset]
	return Position{bytes.Count(before, []byte{'\n'}) + 1, len(before) - bytes.LastIndexByte(before, '\n')}
}

// nameOf is under what the position of a key itself is kept, beside that of its value.
func nameOf(key string) string { return "name of " + key }

// Join and Element return the key of what is in a table or an array.
func Join(table, key string) string {
	if !isBareKey(key) {
		key = strconv.Quote(key)
	}
	if table == "" {
		return key
	}
	return table + "." + key
}

func Element(array string, n int) string { return fmt.Sprintf("%s[%d]", array, n) }

// isBareKey reports whether TOML lets a key be written without quotes.
func isBareKey(key string) bool {
	return key != "" && strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}
