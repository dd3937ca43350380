package config

import (
	"encoding"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys/words"
)

// decoder stores what a file says in a struct, key by key, so that one wrong value does
// not hide the next one. Keys are those of the fields' toml tags.
type decoder struct {
	file  *File
	found site.Findings
	whole reflect.Type
	words map[reflect.Type]string
}

// BoolSetter is a list for which true or false may be written instead.
type BoolSetter interface{ SetBool(bool) }

func (d *decoder) refuse(key, format string, args ...any) {
	d.file.refused[key] = true
	d.found.Errorf(key, format, args...)
}

func (d *decoder) table(tree map[string]any, to reflect.Value, table string) {
	fields := fieldsOf(to.Type())
	for name, value := range tree {
		key := Join(table, name)
		if i, ok := fields[name]; ok {
			d.value(value, to.FieldByIndex(i), key)
			continue
		}
		d.file.positions[key] = d.file.positions[nameOf(key)]
		d.found.Errorf(key, "this key is unknown%s", d.advice(name, to.Type()))
	}
}

func (d *decoder) value(value any, to reflect.Value, key string) {
	if u, ok := to.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(value, u, key)
		return
	}
	if b, isBool := value.(bool); isBool {
		if s, ok := to.Addr().Interface().(BoolSetter); ok {
			s.SetBool(b)
			return
		}
	}
	switch to.Kind() {
	case reflect.Struct:
		if tree, ok := value.(map[string]any); ok {
			d.table(tree, to, key)
			return
		}
	case reflect.Slice:
		if list, ok := value.([]any); ok {
			d.list(list, to, key)
			return
		}
	case reflect.Map:
		if tree, ok := value.(map[string]any); ok {
			d.names(tree, to, key)
			return
		}
	default:
		v := reflect.ValueOf(value)
		if v.CanInt() && to.CanInt() && to.OverflowInt(v.Int()) {
			d.refuse(key, "%d is too large a number", v.Int())
			return
		}
		if d.kindName(v.Type()) == d.kindName(to.Type()) {
			to.Set(v.Convert(to.Type()))
			return
		}
	}
	d.refuse(key, "this is %s, but must be %s", d.kindName(reflect.TypeOf(value)), d.kindName(to.Type()))
}

func (d *decoder) text(value any, to encoding.TextUnmarshaler, key string) {
	text, ok := value.(string)
	switch _, isRange := to.(*netip.Prefix); {
	case !ok:
		d.refuse(key, "this is %s, but must be %s", d.kindName(reflect.TypeOf(value)), d.kindName(reflect.TypeOf(to).Elem()))
	case to.UnmarshalText([]byte(text)) == nil:
	case isRange:
		d.refuse(key, "%q is no address range: write it such as 192.0.2.0/24, one address as 192.0.2.7/32", text)
	default:
		d.refuse(key, "%v", to.UnmarshalText([]byte(text)))
	}
}

func (d *decoder) list(list []any, to reflect.Value, key string) {
	to.Set(reflect.MakeSlice(to.Type(), len(list), len(list)))
	for i, value := range list {
		d.value(value, to.Index(i), Element(key, i+1))
	}
}

// names stores a table whose keys are up to the operator.
func (d *decoder) names(tree map[string]any, to reflect.Value, table string) {
	to.Set(reflect.MakeMapWithSize(to.Type(), len(tree)))
	for name, value := range tree {
		element := reflect.New(to.Type().Elem()).Elem()
		d.value(value, element, Join(table, name))
		to.SetMapIndex(reflect.ValueOf(name), element)
	}
}

// kindName says in TOML's words what a value of a type is.
func (d *decoder) kindName(t reflect.Type) string {
	switch words, known := d.words[t]; {
	case known:
		return words
	case t == reflect.TypeFor[netip.Prefix]():
		return `an address range such as "192.0.2.0/24"`
	case t == reflect.TypeFor[time.Time]() || t.PkgPath() == "github.com/pelletier/go-toml/v2":
		return "a date or time"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number with a fraction"
	case reflect.Map, reflect.Struct:
		return "a table"
	default:
		if t.Elem().Kind() == reflect.Struct && t.Elem() != reflect.TypeFor[netip.Prefix]() {
			return "an array of tables"
		}
		return "an array"
	}
}

// fieldsOf returns the index of each field of a table by its key, those of embedded structs
// included.
func fieldsOf(t reflect.Type) map[string][]int {
	fields := map[string][]int{}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("toml"), ","); name != "" && name != "-" {
			fields[name] = f.Index
		}
	}
	return fields
}

// advice says what an unknown key may have been meant to be.
func (d *decoder) advice(name string, t reflect.Type) string {
	here := slices.Sorted(maps.Keys(fieldsOf(t)))
	if meant := words.Nearest(name, here); meant != "" {
		return fmt.Sprintf(": did you mean %q?", meant)
	}
	if where := whereabouts(name, d.whole, ""); where != "" {
		return ": it belongs " + where
	}
	return ": the keys here are " + strings.Join(here, ", ")
}

// whereabouts says in which table of t a key belongs; empty if in none.
func whereabouts(name string, t reflect.Type, table string) string {
	fields := fieldsOf(t)
	if _, ok := fields[name]; ok && table == "" {
		return "at the top of the file, before the first [table]"
	} else if ok {
		return "in " + table
	}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		inner, form := t.FieldByIndex(fields[field]).Type, "[%s]"
		if inner.Kind() == reflect.Slice {
			inner, form = inner.Elem(), "[[%s]]"
		}
		if inner.Kind() != reflect.Struct || inner == reflect.TypeFor[netip.Prefix]() {
			continue
		}
		if where := whereabouts(name, inner, fmt.Sprintf(form, Join(strings.Trim(table, "[]"), field))); where != "" {
			return where
		}
	}
	return ""
}
