package wls_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth/internal/testkeys"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

var issued = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

func success(ver int) wls.Response {
	r := wls.Response{Ver: ver, Status: 200, Issue: issued, ID: "id-1", URL: site, Principal: "test0001", Auth: "pwd", Params: "p"}
	if ver == 3 {
		r.Ptags = []string{"current", "x"}
	}
	return r
}

func failure(ver, status int) wls.Response {
	return wls.Response{Ver: ver, Status: status, Msg: "no", Issue: issued, ID: "id-1", URL: site}
}

func seconds(n int) *int { return &n }

func TestSignedValue(t *testing.T) {
	tests := []struct {
		name string
		edit func(*wls.Response)
		ver  int
		want string // before kid and sig
	}{
		{"version 3", func(*wls.Response) {}, 3,
			"3!200!!20260102T030405Z!id-1!https://soc.example/private/?a=b!test0001!current,x!pwd!!!p"},
		{"version 3 without ptags", func(r *wls.Response) { r.Ptags = nil }, 3,
			"3!200!!20260102T030405Z!id-1!https://soc.example/private/?a=b!test0001!!pwd!!!p"},
		{"version 2 has no ptags field", func(*wls.Response) {}, 2,
			"2!200!!20260102T030405Z!id-1!https://soc.example/private/?a=b!test0001!pwd!!!p"},
		{"version 1 keeps the whole url", func(*wls.Response) {}, 1,
			"1!200!!20260102T030405Z!id-1!https://soc.example/private/?a=b!test0001!pwd!!!p"},
		{"single sign-on with life", func(r *wls.Response) { r.Auth, r.SSO, r.Life = "", []string{"pwd", "x-card"}, seconds(-3) }, 3,
			"3!200!!20260102T030405Z!id-1!https://soc.example/private/?a=b!test0001!current,x!!pwd,x-card!-3!p"},
		{"separators and percent signs are escaped", func(r *wls.Response) { r.Msg, r.Params = "50% off!", "!%21%" }, 3,
			"3!200!50%25 off%21!20260102T030405Z!id-1!https://soc.example/private/?a=b!test0001!current,x!pwd!!!%21%2521%25"},
		{"issue is written in UTC", func(r *wls.Response) { r.Issue = issued.In(time.FixedZone("", -3600)) }, 3,
			"3!200!!20260102T030405Z!id-1!https://soc.example/private/?a=b!test0001!current,x!pwd!!!p"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := success(tt.ver)
			tt.edit(&r)
			value, err := r.Sign(testkeys.RSA2048(), "501")
			require.NoError(t, err)
			text, sig, found := strings.Cut(value, "!501!")
			require.True(t, found)
			assert.Equal(t, tt.want, text)
			requireSignature(t, testkeys.RSA2048(), text, sig)
		})
	}
}

// requireSignature checks by other means than the package's own.
func requireSignature(t *testing.T, key *rsa.PrivateKey, text, sig string) {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(strings.NewReplacer("-", "+", ".", "/", "_", "=").Replace(sig))
	require.NoError(t, err)
	require.NotContains(t, sig, "+")
	require.NotContains(t, sig, "/")
	require.NotContains(t, sig, "=")
	digest := sha1.Sum([]byte(text))
	require.NoError(t, rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA1, digest[:], raw))
}

func TestUnsignedValue(t *testing.T) {
	value, err := failure(1, 410).Unsigned()
	require.NoError(t, err)
	assert.Equal(t, "1!410!no!20260102T030405Z!id-1!https://soc.example/private/?a=b!!!!!!!", value)
	assert.Len(t, strings.Split(value, "!"), 13)

	value, err = failure(3, 410).Unsigned()
	require.NoError(t, err)
	assert.Len(t, strings.Split(value, "!"), 14)

	_, err = success(3).Unsigned()
	assert.ErrorContains(t, err, "a success must be signed")
}

func TestResponsesThatBreakTheProtocol(t *testing.T) {
	tests := []struct {
		name string
		r    wls.Response
		edit func(*wls.Response)
		want string
	}{
		{"version 0", success(3), func(r *wls.Response) { r.Ver = 0 }, "version 0"},
		{"version 4", success(3), func(r *wls.Response) { r.Ver = 4 }, "version 4"},
		{"status of two digits", success(3), func(r *wls.Response) { r.Status = 99 }, "three digits"},
		{"status of four digits", success(3), func(r *wls.Response) { r.Status = 1000 }, "three digits"},
		{"520 in version 3", failure(3, 520), func(*wls.Response) {}, "520 is answered in version 1"},
		{"no issue", success(3), func(r *wls.Response) { r.Issue = time.Time{} }, "time of issue"},
		{"issue in the year 10000", success(3), func(r *wls.Response) { r.Issue = issued.AddDate(8000, 0, 0) }, "time of issue"},
		{"no id", success(3), func(r *wls.Response) { r.ID = "" }, "id is empty"},
		{"a blank in the id", success(3), func(r *wls.Response) { r.ID = "a b" }, "id is empty or not"},
		{"msg beyond ASCII", failure(3, 410), func(r *wls.Response) { r.Msg = "é" }, "msg is not printable"},
		{"a line break in params", success(3), func(r *wls.Response) { r.Params = "a\nb" }, "params hold a control"},
		{"a relative url", success(3), func(r *wls.Response) { r.URL = "/private/" }, "response url is not an absolute"},
		{"success without principal", success(3), func(r *wls.Response) { r.Principal = "" }, "needs a principal"},
		{"success without auth and sso", success(3), func(r *wls.Response) { r.Auth = "" }, "needs auth or sso"},
		{"two types in auth", success(3), func(r *wls.Response) { r.Auth = "pwd,x" }, "not one authentication type"},
		{"ptags in version 2", success(2), func(r *wls.Response) { r.Ptags = []string{"current"} }, "version 2 has no ptags"},
		{"a comma in a ptag", success(3), func(r *wls.Response) { r.Ptags = []string{"a,b"} }, "cannot stand in a list"},
		{"an empty entry in sso", success(3), func(r *wls.Response) { r.SSO = []string{"pwd", ""} }, "cannot stand in a list"},
		{"failure with principal", failure(3, 410), func(r *wls.Response) { r.Principal = "x" }, "must be empty on a failure"},
		{"failure with ptags", failure(3, 410), func(r *wls.Response) { r.Ptags = []string{"x"} }, "must be empty on a failure"},
		{"failure with auth", failure(3, 410), func(r *wls.Response) { r.Auth = "pwd" }, "must be empty on a failure"},
		{"failure with sso", failure(3, 410), func(r *wls.Response) { r.SSO = []string{"pwd"} }, "must be empty on a failure"},
		{"failure with life", failure(3, 410), func(r *wls.Response) { r.Life = seconds(0) }, "must be empty on a failure"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := tt.r
			tt.edit(&r)
			require.ErrorContains(t, r.Check(), tt.want)
			_, err := r.Sign(testkeys.RSA2048(), "501")
			require.ErrorContains(t, err, tt.want)
			_, err = r.Unsigned()
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestSignRefusesBadKeys(t *testing.T) {
	for _, kid := range []string{"", "0", "01", "123456789", "a", "1!"} {
		_, err := success(3).Sign(testkeys.RSA2048(), kid)
		assert.ErrorContains(t, err, "kid", kid)
	}
	_, err := success(3).Sign(nil, "501")
	assert.ErrorContains(t, err, "no key")
}

func TestFieldsAreNotChecked(t *testing.T) {
	value, err := wls.Fields{"3", "200!"}.Sign(testkeys.RSA2048(), "../x")
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(value, "3!200%21!../x!"), value)
	assert.Equal(t, "9!%25!!", wls.Fields{"9", "%"}.Unsigned())
}

func TestNewID(t *testing.T) {
	a, b := wls.NewID(), wls.NewID()
	assert.Regexp(t, `^[A-Z2-7]{24}$`, a)
	assert.NotEqual(t, a, b)
}

// FuzzResponse checks that every response which may be signed has its version's
// number of fields, that they decode to what went in, and that the signature holds.
func FuzzResponse(f *testing.F) {
	f.Add(uint8(3), 200, "", "id", site, "test0001", "current", "pwd", "", "p")
	f.Add(uint8(2), 200, "m!%", "id", site, "test0001", "", "", "pwd", "!%21%2521")
	f.Add(uint8(1), 410, "cancelled", "1-2-3", "http://localhost:1/?!#%", "", "", "", "", "")
	f.Add(uint8(3), 200, "%21", "!", "http://[::1]/", "a!b", "!,%", "%25", "!", "!!!!")
	key := testkeys.RSA1024()
	f.Fuzz(func(t *testing.T, ver uint8, status int, msg, id, url, principal, ptag, auth, sso, params string) {
		r := wls.Response{Ver: int(ver), Status: status, Msg: msg, Issue: issued, ID: id, URL: url, Principal: principal, Auth: auth, Params: params}
		if ptag != "" {
			r.Ptags = []string{ptag}
		}
		if sso != "" {
			r.SSO = []string{sso}
		}
		value, err := r.Sign(key, "7")
		if err != nil {
			return
		}
		parts := strings.Split(value, "!")
		want := []string{string('0' + ver), parts[1], msg, "20260102T030405Z", id, url, principal, ptag, auth, sso, "", params, "7"}
		if ver != 3 {
			want = append(want[:7], want[8:]...)
		}
		require.Len(t, parts, len(want)+1)
		for i, w := range want {
			require.Equal(t, w, strings.NewReplacer("%21", "!", "%25", "%").Replace(parts[i]))
		}
		text, sig := value[:strings.LastIndex(value, "!7!")], parts[len(parts)-1]
		requireSignature(t, key, text, sig)
	})
}
