package manual

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// inWordsOfFile has the doc comments speak of keys, where they speak of fields.
func inWordsOfFile(whole *Table) {
	w := &words{whole: whole, tables: map[string]string{whole.typeName: ""}, keys: map[string][]string{}}
	w.collect(whole, "")
	w.rewrite(whole)
}

// words knows how fields are called in a file.
type words struct {
	whole  *Table
	tables map[string]string   // by the struct's name: how keys of it begin, such as "session."
	keys   map[string][]string // by the field's name: all that are called so, from the top
}

func (w *words) collect(t *Table, prefix string) {
	for _, k := range t.Keys {
		w.keys[k.field] = append(w.keys[k.field], prefix+k.Name)
		if k.Table != nil && !k.Table.Named {
			inner := prefix + k.Name + "."
			w.tables[k.Table.typeName] = inner
			w.collect(k.Table, inner)
		}
	}
}

func (w *words) rewrite(t *Table) {
	var explained []string // fields that the last doc comment is about
	for _, k := range t.Keys {
		if k.raw != "" {
			explained = []string{k.field}
			for _, name := range fieldsNamed(k.raw) {
				if t.key(name) != nil {
					explained = append(explained, name)
				}
			}
		}
		k.Doc = w.text(t, k.raw, explained)
		for i, v := range k.Values {
			k.Values[i].Doc = w.text(t, strings.Replace(v.Doc, v.constant, strconv.Quote(v.Name), 1), []string{k.field})
		}
		if k.Table != nil {
			w.rewrite(k.Table)
		}
	}
}

func (t *Table) key(field string) *Key {
	for _, k := range t.Keys {
		if k.field == field {
			return k
		}
	}
	return nil
}

var subject = regexp.MustCompile(`^(?:[A-Z]\w*(?:, | and )?)+`)

// fieldsNamed returns the fields that a doc comment begins with: "Principal, Ptags and Groups".
func fieldsNamed(doc string) []string {
	return regexp.MustCompile(`[A-Z]\w*`).FindAllString(subject.FindString(doc), -1)
}

var name = regexp.MustCompile(`\[?\b(?:([A-Z]\w*)\b\]?\.)?([A-Z]\w*)\b\]?`)

// text returns a doc comment with names of keys for names of fields. Fields that are ordinary
// words too are meant where the comment is about them, or where no sentence begins.
func (w *words) text(t *Table, doc string, about []string) string {
	var b strings.Builder
	last := 0
	for _, m := range name.FindAllStringSubmatchIndex(doc, -1) {
		of, field := "", doc[m[4]:m[5]]
		if m[2] >= 0 {
			of = doc[m[2]:m[3]]
		}
		begins := beginsSentence(doc[:m[0]])
		if key := w.key(t, of, field, begins, slices.Contains(about, field)); key != "" && !isOther(doc, m[0], m[1]) {
			if strings.HasSuffix(doc[:m[0]], "rule's ") {
				key = key[strings.LastIndexByte(key, '.')+1:]
			}
			b.WriteString(doc[last:m[0]] + key)
			last = m[1]
		}
	}
	b.WriteString(doc[last:])
	return strings.TrimSpace(b.String())
}

// key returns what a field is called in the file; empty where none is meant.
func (w *words) key(t *Table, of, field string, begins, about bool) string {
	if of != "" {
		prefix, ok := w.tables[of]
		if !ok {
			return ""
		}
		return w.keyIn(prefix, field)
	}
	if here := t.key(field); here != nil && (about || !begins || isCamel(field)) {
		return here.Name
	}
	if about {
		return ""
	}
	for _, k := range t.Keys {
		for _, v := range k.Values {
			if v.constant == field && (!begins || isCamel(field)) {
				return strconv.Quote(v.Name)
			}
		}
	}
	if top := w.whole.key(field); top != nil && (isCamel(field) || !begins && strings.ToUpper(field) != field) {
		return top.Name
	}
	if keys := w.keys[field]; isCamel(field) && len(keys) > 0 {
		return keys[0]
	}
	return ""
}

// keyIn returns what a field of a table is called in the file; empty if the table has none.
func (w *words) keyIn(prefix, field string) string {
	for _, key := range w.keys[field] {
		if name, ok := strings.CutPrefix(key, prefix); ok && !strings.Contains(name, ".") {
			return key
		}
	}
	return ""
}

// isCamel reports whether a name is no ordinary word: "BackendCA", and not "Path" or "CSP".
func isCamel(name string) bool {
	return strings.ContainsFunc(name[1:], unicode.IsUpper) && strings.ContainsFunc(name, unicode.IsLower)
}

// beginsSentence reports whether what comes after a text begins a sentence, and so with a
// capital.
func beginsSentence(before string) bool {
	before = strings.TrimSpace(before)
	return before == "" || strings.HasSuffix(before, ".") || strings.HasSuffix(before, ":")
}

// isOther reports whether a part of a text is something else than a field: it is in quotes, of a
// longer name such as X-Forwarded-For, or of HTTP.
func isOther(text string, from, to int) bool {
	line, rest := text[strings.LastIndexByte(text[:from], '\n')+1:from], text[to:]
	return from > 0 && strings.ContainsAny(text[from-1:from], `"-/_.`) || rest != "" && strings.ContainsAny(rest[:1], `"-/_=`) ||
		strings.Count(line, `"`)%2 == 1 || strings.HasPrefix(rest, " header") || strings.HasPrefix(rest, " attribute")
}
