package aaheader_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/aaheader"
)

// The signatures are what the rule of mod_ucam_webauth makes of each file by hand (its package is
// not in Debian): the key is
//
//	key=$(head -c 64 FILE | tr '\0' '@' | xxd -p -c 999)
//
// and the signature of spqr1, and of nothing without the word spqr1, is
//
//	(printf spqr1; echo $key | xxd -r -p) | openssl dgst -sha1 -mac HMAC -macopt hexkey:$key -binary | base64
func TestKeysOfFilesAsApacheReadsThem(t *testing.T) {
	const (
		newline = "ends with a newline"
		nul     = "NUL bytes"
		long    = "is longer than 64 bytes"
		short   = "bytes only"
	)
	for _, tt := range []struct {
		name, content string
		spqr1, empty  string
		odd           []string
	}{
		{"no newline", "0123456789abcdef0123", "7tO2pcjYhu7rRy+r8+qa32SKaIw=", "08fRQlGI/3KFbqlYw5i2+4HN2rI=", nil},
		{"a newline", "0123456789abcdef0123\n", "HcnaUXxuCQi6/IpCIAkcYP2RXTY=", "+7b+hEberKzSa+3XaXaj1teo22Y=", []string{newline}},
		{"a line of Windows", "0123456789abcdef0123\r\n", "TGodTusjQUvcN5SYaVXeJEbloic=", "7B4IE5CY9I9xD69gXHyzLrhIkUE=", []string{newline}},
		{"NUL", "0123456789\x00abcdef\x00\x00\n", "bdV9INFgtdKhipOM8G47YL/1xrk=", "yQith0Hnlih7Q//p0T0eyd85XBo=", []string{"3 " + nul, newline}},
		{"63 bytes and a newline", strings.Repeat("0123456789", 6) + "012\n", "KDJLMk7GrLp9Tae/tVMPyLk4f5E=", "wuSxir8WnfMjbskSNpw6zbIhL8E=", []string{newline}},
		{"64 bytes", strings.Repeat("0123456789abcdef", 4), "xaGC9GN+40UYQ55JcNCxjen+6oQ=", "Ix72EgBjmdm381WN/FbcMlYvtLo=", nil},
		{"64 bytes and a newline", strings.Repeat("0123456789abcdef", 4) + "\n", "xaGC9GN+40UYQ55JcNCxjen+6oQ=", "Ix72EgBjmdm381WN/FbcMlYvtLo=", []string{long}},
		{"100 bytes", strings.Repeat("0123456789", 10), "EzTsJhEy8FVSNuVv+Tl+pMxeVjM=", "c0J+PG/NV8pJ+wOeUoUL7BMaanY=", []string{long}},
		{"a short one", "abc\n", "i8Z56bZJ03w9fAufbyqa1XMu4qM=", "W6a8dQ20jd2qkwnRFyoqRV2AqIY=", []string{"4 " + short, newline}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			key, odd, err := aaheader.FromFile([]byte(tt.content))
			require.NoError(t, err)
			require.True(t, key.IsSet())
			assert.Equal(t, tt.spqr1+" spqr1", key.Signed("spqr1"))
			assert.Equal(t, tt.empty+" ", key.Signed(""))
			for _, signed := range []string{tt.spqr1 + " spqr1", tt.empty} {
				value, err := key.Open(signed)
				require.NoError(t, err)
				assert.Equal(t, strings.TrimPrefix(signed[len(tt.empty):], " "), value)
			}
			require.Len(t, odd, len(tt.odd), "%v", odd)
			for i, want := range tt.odd {
				assert.Contains(t, odd[i].Text, want)
				assert.Equal(t, strings.Contains(want, short), odd[i].Weak, odd[i].Text)
				assert.NotContains(t, odd[i].Text, tt.content[:3])
			}
		})
	}
}

func TestKeysThatAreNone(t *testing.T) {
	for name, content := range map[string]string{"nothing": "", "a newline": "\n", "blanks": " \t\r\n", "none": "none", "None": "None"} {
		t.Run(name, func(t *testing.T) {
			key, _, err := aaheader.FromFile([]byte(content))
			require.Error(t, err)
			assert.False(t, key.IsSet())
		})
	}
	key, odd, err := aaheader.FromFile([]byte("none\n")) // which switches nothing off in Apache
	require.NoError(t, err)
	assert.True(t, key.IsSet())
	assert.True(t, odd[0].Weak)
}

// A key that stands in Apache's configuration itself counts whole.
func TestKeysOfText(t *testing.T) {
	text := strings.Repeat("0123456789", 10)
	key, odd, err := aaheader.FromText(text)
	require.NoError(t, err)
	assert.Empty(t, odd)
	ofFile, _, err := aaheader.FromFile([]byte(text))
	require.NoError(t, err)
	assert.NotEqual(t, ofFile.Signed("spqr1"), key.Signed("spqr1"))
	ofFile, _, err = aaheader.FromFile([]byte("0123456789abcdef0123\n"))
	require.NoError(t, err)
	key, odd, err = aaheader.FromText("0123456789abcdef0123\n")
	require.NoError(t, err)
	assert.Empty(t, odd)
	assert.Equal(t, ofFile, key, "who reads a file with a newline gives it with the newline")
}
