package webauth

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParseResponse: what is accepted is in canonical form, so that writing its fields
// again gives the same bytes.
func FuzzParseResponse(f *testing.F) {
	for _, name := range []string{"response_shapes.json", "real_responses.json"} {
		data, err := os.ReadFile(filepath.Join("..", "testdata", name))
		require.NoError(f, err)
		var file struct{ Rows []struct{ Value string } }
		require.NoError(f, json.Unmarshal(data, &file))
		require.NotEmpty(f, file.Rows)
		for _, row := range file.Rows {
			f.Add(row.Value)
		}
	}
	f.Fuzz(func(t *testing.T, value string) {
		u, err := ParseResponse(value)
		if err != nil {
			require.Nil(t, u)
			require.NotEmpty(t, ReasonOf(err))
			return
		}
		require.LessOrEqual(t, len(value), maxResponse)
		require.Equal(t, value, u.format())
		if u.Signed() {
			require.Equal(t, value, u.signed+"!"+u.kid+"!"+sigEncoding.EncodeToString(u.sig))
		}
		claims := u.principal != "" || u.auth != "" || len(u.sso) > 0
		require.Equal(t, u.status == 200, claims, "a success, and nothing else, is about somebody")
		origin, err := Origin(u.url)
		require.NoError(t, err)
		require.Equal(t, u.addr.origin(), origin)
	})
}

// format writes the fields as the protocol says.
func (u *Unverified) format() string {
	f, life := &u.fields, ""
	if f.life != nil {
		life = strconv.Itoa(*f.life)
	}
	fields := []string{
		strconv.Itoa(f.ver), strconv.Itoa(f.status), f.msg, f.issue.Format(timeLayout), f.id, f.url, f.principal,
		strings.Join(f.ptags, ","), f.auth, strings.Join(f.sso, ","), life, f.params, f.kid, sigEncoding.EncodeToString(u.sig),
	}
	if f.ver < 3 {
		fields = append(fields[:ptagsAt], fields[ptagsAt+1:]...)
	}
	for i := range fields {
		fields[i] = strings.ReplaceAll(strings.ReplaceAll(fields[i], "%", "%25"), "!", "%21")
	}
	return strings.Join(fields, "!")
}
