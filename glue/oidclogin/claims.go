package oidclogin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// claims are the members of a JSON object, by their exact names. One that is null is not there.
type claims map[string]json.RawMessage

// parseClaims reads an object. One with two members of one name is an error: whoever else reads
// it may take the other (RFC 7519 section 4).
func parseClaims(text []byte) (claims, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("it is not a JSON object")
	}
	c := claims{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errors.New("it is not valid JSON")
		}
		key, _ := name.(string)
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, errors.New("it is not valid JSON")
		}
		if _, twice := c[key]; twice {
			return nil, fmt.Errorf("it has %+.100q twice", key)
		}
		c[key] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("it is not valid JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more behind the JSON object")
	}
	for name, value := range c {
		if string(value) == "null" {
			delete(c, name)
		}
	}
	return c, nil
}

// has reports whether a claim is there.
func (c claims) has(name string) bool { return c[name] != nil }

// text returns a claim that is a string; ok is false if it is none, or not there.
func (c claims) text(name string) (s string, ok bool) {
	value := c[name]
	if len(value) == 0 || value[0] != '"' {
		return "", false
	}
	return s, json.Unmarshal(value, &s) == nil
}

// texts returns a claim that is a list of strings, all of them.
func (c claims) texts(name string) (list []string, ok bool) {
	var all []json.RawMessage
	if value := c[name]; len(value) == 0 || value[0] != '[' || json.Unmarshal(value, &all) != nil {
		return nil, false
	}
	for _, value := range all {
		s, ok := claims{"": value}.text("")
		if !ok {
			return nil, false
		}
		list = append(list, s)
	}
	return list, true
}

// textOrTexts returns a claim that is a string or a list of them.
func (c claims) textOrTexts(name string) (list []string, ok bool) {
	if s, ok := c.text(name); ok {
		return []string{s}, true
	}
	return c.texts(name)
}

// farFuture is 100 years after the first NumericDate that makes sense here.
const farFuture = 4102444800 + 100*365*24*3600

// time returns a claim that is a NumericDate: seconds since 1970, perhaps with a fraction
// (RFC 7519 section 2), which is dropped.
func (c claims) time(name string) (t time.Time, ok bool) {
	var seconds float64
	value := c[name]
	if len(value) == 0 || json.Unmarshal(value, &seconds) != nil || seconds <= 0 || seconds > farFuture {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0).UTC(), true
}
