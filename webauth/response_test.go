package webauth_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

type shapeVector struct {
	Name, Value string
	Reason      webauth.Reason
}

func TestParseResponseShapes(t *testing.T) {
	rows := loadVectors[shapeVector](t, "response_shapes.json")
	for _, row := range rows {
		t.Run(row.Name, func(t *testing.T) {
			u, err := webauth.ParseResponse(row.Value)
			if row.Reason == "" {
				require.NoError(t, err)
				require.NotNil(t, u)
				return
			}
			e := wantReason(t, row.Reason, err)
			assert.Nil(t, u)
			assert.False(t, e.Signed, "nothing has verified yet")
			assert.Zero(t, e.Status, "a value of another shape has no status")
			if len(row.Value) > 20 {
				assert.NotContains(t, err.Error(), row.Value, "errors do not repeat the response")
			}
		})
	}
}

func TestParseResponseFields(t *testing.T) {
	u, err := webauth.ParseResponse("3!410!100%25 sure%21!20260301T120000Z!a b!https://soc.example/%2541?x=%2521!!!!!!%252521!12345678!AA__")
	require.NoError(t, err)
	assert.Equal(t, 3, u.Version())
	assert.Equal(t, 410, u.Status())
	assert.Equal(t, "100% sure!", u.Msg())
	assert.Equal(t, testNow, u.Issue())
	assert.Equal(t, time.UTC, u.Issue().Location())
	assert.Equal(t, "a b", u.ID())
	assert.Equal(t, "https://soc.example/%41?x=%21", u.URL())
	assert.Equal(t, "%2521", u.Params(), "unescaped once and not again")
	assert.Equal(t, "12345678", u.Kid())
	assert.True(t, u.Signed())
	_, has := u.Life()
	assert.False(t, has)
}

func TestParseResponseWithoutPtagsKeepsTheOtherFields(t *testing.T) {
	u, err := webauth.ParseResponse("1!200!m!20260301T120000Z!1!http://soc.example/!test0001!!pwd!-7!p!!")
	require.NoError(t, err)
	assert.Equal(t, 1, u.Version())
	life, has := u.Life()
	assert.True(t, has)
	assert.Equal(t, -7*time.Second, life)
	assert.Equal(t, "p", u.Params())
	assert.False(t, u.Signed())
	assert.Empty(t, u.Kid())
}

func TestParseResponseBound(t *testing.T) {
	// 8 KiB exactly: all of it params.
	value := strings.Replace("3!410!!20260301T120000Z!1!https://soc.example/!!!!!!P!!", "P",
		strings.Repeat("p", 8192-len("3!410!!20260301T120000Z!1!https://soc.example/!!!!!!!!")), 1)
	require.Len(t, value, 8192)
	_, err := webauth.ParseResponse(value)
	require.NoError(t, err)
	_, err = webauth.ParseResponse(strings.Replace(value, "p", "pp", 1))
	e := wantReason(t, webauth.ReasonMalformed, err)
	assert.Contains(t, e.Detail, "8192")
	_, err = webauth.ParseResponse(strings.Repeat("!", 1<<20))
	wantReason(t, webauth.ReasonMalformed, err)
}

func TestParseResponseFormOfEachByte(t *testing.T) {
	// Every byte there is, in every field of a good response: only printable ASCII
	// ever gets through, and ! and % never unescaped.
	fields := strings.Split("3!410!m!20260301T120000Z!1!https://soc.example/!!!!!!p!!", "!")
	for i := range fields {
		for c := range 256 {
			changed := append([]string{}, fields...)
			changed[i] += string([]byte{byte(c)})
			_, err := webauth.ParseResponse(strings.Join(changed, "!"))
			if c < ' ' || c > '~' || c == '!' || c == '%' {
				require.Error(t, err, "field %d, byte %#02x", i, c)
			}
		}
	}
}

func TestUnverifiedHidesItself(t *testing.T) {
	value := "3!200!!20260301T120000Z!1!https://soc.example/!test0001!current!pwd!!!token!2!AAAA"
	u, err := webauth.ParseResponse(value)
	require.NoError(t, err)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		text := fmt.Sprintf(format, u)
		for _, part := range []string{"test0001", "token", "AAAA"} {
			assert.NotContains(t, text, part, format)
		}
	}
	assert.Equal(t, "WLS-Response(version 3, status 200)", u.String())
}
