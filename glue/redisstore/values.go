package redisstore

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The values of a session are stored as a version and then, in the order of their
// keys, for each: key, type, value.
//
//	1 9:principal s 5:spqr1 7:expires l 10:1795305600    (without the blanks)
//
// Key and value are bytes behind their number in decimal; types are s (string), b
// (bool: 0 or 1), i (int) and l (int64). There is one way to write a map, and nothing
// else is read.
const valuesVersion = "1"

// maxValues is how many bytes the values of a session may take.
const maxValues = 64 << 10

func encodeValues(values map[any]any) (string, error) {
	var b strings.Builder
	b.WriteString(valuesVersion)
	keys := make([]string, 0, len(values))
	for key := range values {
		name, ok := key.(string)
		if !ok {
			return "", fmt.Errorf("redisstore: a key of Session.Values is a %T, want a string", key)
		}
		keys = append(keys, name)
	}
	slices.Sort(keys)
	for _, key := range keys {
		kind, text, err := encodeValue(values[key])
		if err != nil {
			return "", fmt.Errorf("redisstore: Session.Values[%q]: %w", key, err)
		}
		b.WriteString(counted(key) + kind + counted(text))
	}
	if b.Len() > maxValues {
		return "", fmt.Errorf("redisstore: Session.Values take %d bytes, the most is %d", b.Len(), maxValues)
	}
	return b.String(), nil
}

func encodeValue(v any) (kind, text string, err error) {
	switch v := v.(type) {
	case string:
		return "s", v, nil
	case bool:
		if v {
			return "b", "1", nil
		}
		return "b", "0", nil
	case int:
		return "i", strconv.Itoa(v), nil
	case int64:
		return "l", strconv.FormatInt(v, 10), nil
	}
	return "", "", fmt.Errorf("a %T cannot be stored; use string, bool, int or int64", v)
}

func counted(s string) string { return strconv.Itoa(len(s)) + ":" + s }

var errValues = errors.New("redisstore: the stored values of a session are not ones that this store wrote")

func decodeValues(text string) (map[any]any, error) {
	rest, ok := strings.CutPrefix(text, valuesVersion)
	if !ok || len(text) > maxValues {
		return nil, errValues
	}
	values := map[any]any{}
	for last := ""; rest != ""; {
		var key, kind, raw string
		if key, rest, ok = cutCounted(rest); !ok || rest == "" {
			return nil, errValues
		}
		if len(values) > 0 && last >= key {
			return nil, errValues
		}
		kind, rest = rest[:1], rest[1:]
		if raw, rest, ok = cutCounted(rest); !ok {
			return nil, errValues
		}
		v, ok := decodeValue(kind, raw)
		if !ok {
			return nil, errValues
		}
		values[key], last = v, key
	}
	return values, nil
}

// decodeValue reads what encodeValue wrote, written in just that way.
func decodeValue(kind, text string) (any, bool) {
	var v any
	var err error
	switch kind {
	case "s":
		return text, true
	case "b":
		v = text == "1"
	case "i":
		v, err = strconv.Atoi(text)
	case "l":
		v, err = strconv.ParseInt(text, 10, 64)
	default:
		return nil, false
	}
	if err != nil {
		return nil, false
	}
	_, again, err := encodeValue(v)
	return v, err == nil && again == text
}

// cutCounted takes a counted string from the front.
func cutCounted(s string) (text, rest string, ok bool) {
	count, rest, found := strings.Cut(s, ":")
	n, err := strconv.Atoi(count)
	if !found || err != nil || n < 0 || n > len(rest) || strconv.Itoa(n) != count {
		return "", "", false
	}
	return rest[:n], rest[n:], true
}
