package gateway

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/pelletier/go-toml/v2/unstable"
)

// locate finds the place of every key and array element of a document that is known to
// be well-formed: of a table or an array that of its name, of anything else that of its
// value.
func locate(document []byte) map[string]place {
	l := locator{document: document, places: map[string]place{}, elements: map[string]int{}}
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
	return l.places
}

type locator struct {
	document []byte
	parser   unstable.Parser
	places   map[string]place
	elements map[string]int // how many elements an array of tables has so far
}

// header notes a [table] or [[table]], and gives its key.
func (l *locator) header(e *unstable.Node) string {
	key, at := "", place{}
	for it := e.Key(); it.Next(); {
		if at == (place{}) {
			at = l.place(it.Node().Raw)
		}
		key = join(key, string(it.Node().Data))
		switch {
		case it.IsLast() && e.Kind == unstable.ArrayTable:
			l.note(key, at)
			l.elements[key]++
			key = element(key, l.elements[key])
		case l.elements[key] > 0:
			key = element(key, l.elements[key])
		}
		l.note(key, at)
	}
	return key
}

func (l *locator) keyValue(table string, e *unstable.Node) {
	key, at := table, place{}
	for it := e.Key(); it.Next(); {
		if at == (place{}) {
			at = l.place(it.Node().Raw)
		}
		key = join(key, string(it.Node().Data))
		l.note(key, at)
	}
	l.value(key, e.Value(), at)
}

// value notes a value and what is in it; at is where its key is.
func (l *locator) value(key string, v *unstable.Node, at place) {
	if v.Raw.Length > 0 {
		at = l.place(v.Raw)
	}
	l.places[key] = at
	n := 0
	for it := v.Children(); it.Next(); {
		switch v.Kind {
		case unstable.InlineTable:
			l.keyValue(key, it.Node())
		case unstable.Array:
			n++
			l.value(element(key, n), it.Node(), at)
		}
	}
}

// note keeps the first place of a key, and of its name.
func (l *locator) note(key string, at place) {
	if _, ok := l.places[key]; !ok {
		l.places[key], l.places[nameOf(key)] = at, at
	}
}

func (l *locator) place(r unstable.Range) place {
	before := l.document[:r.Offset]
	return place{bytes.Count(before, []byte{'\n'}) + 1, len(before) - bytes.LastIndexByte(before, '\n')}
}

// nameOf is under what the place of a key itself is kept, beside that of its value.
func nameOf(key string) string { return "name of " + key }

// join and element make the key of what is in a table or an array.
func join(table, key string) string {
	if !isBareKey(key) {
		key = strconv.Quote(key)
	}
	if table == "" {
		return key
	}
	return table + "." + key
}

func element(array string, n int) string { return fmt.Sprintf("%s[%d]", array, n) }

// isBareKey reports whether TOML lets a key be written without quotes.
func isBareKey(key string) bool {
	for i := range len(key) {
		switch c := key[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return key != ""
}
