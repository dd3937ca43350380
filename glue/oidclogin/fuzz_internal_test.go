package oidclogin

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is read of a JSON object is what any other reader reads.
func FuzzParseClaims(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1,"b":[null,{"c":"d"}]}`, `{"a":1,"a":2}`, `{"a":null}`, `[]`, `{}{}`, `{"a":`, `{"a":1e400}`, "{\"\xff\":1}", ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseClaims(text)
		if err != nil {
			return
		}
		var all map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(text, &all))
		for name, value := range all {
			assert.Equal(t, string(value) != "null", c.has(name))
			if c.has(name) {
				assert.Equal(t, string(value), string(c[name]))
			}
			_, _ = c.text(name)
			_, _ = c.textOrTexts(name)
			_, _ = c.time(name)
		}
	})
}

// Nothing of an answer is left of a query, and all else is.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{"", "code=a&state=b", "c%6fde=a&x=1&&state", "code=%zz&state=%00", "error=a&error_description=b+c&iss=d", "next=/a;code=b", "id_token=x&response=y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		kept := strip(query)
		assert.False(t, brings(kept))
		assert.Equal(t, kept, strip(kept))
		assert.LessOrEqual(t, len(kept), len(query))
		a := parseAnswer(query)
		if a.err == nil {
			assert.True(t, brings(query))
			assert.NotEmpty(t, a.state)
			assert.NotEqual(t, a.code == "", a.failure == "")
		}
	})
}
