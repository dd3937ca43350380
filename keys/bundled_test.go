package keys_test

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
)

// The figures as published, written down here a second time so that a changed key file cannot pass unseen.
var publishedFigures = []struct {
	name                     string
	set                      func() *keys.Set
	kid                      string
	modulus                  string
	spki, pkcs1, certificate string
	published                bool
}{
	{
		name: "raven", set: keys.Raven, kid: "2",
		modulus: "BFF6A7005B55C24A4D117C07E2BA5BD3A2E319283E239BDF6B5ED30870ED9B9FEDC4C50A4E6DBC16BA088EF033447DF4" +
			"BB6F34B166A1A9ED4E9B3DD8B8C5F5FBEB0816190EAA5A2E79397255D284A2AAB77768E12CA4A9892AEBA929738DA367" +
			"9F02DE8991D1D51F43BA3BC9392D56A9EB0E32D56FD3FEBCB8407EE4851C56B5",
		spki:        "813ab90a52018aff372740e1baa571273d3573fff8d908952a87c19093522afd",
		pkcs1:       "71e70a79de32b5e8154b7f32aae2807d90cd723608fe4b98328eccbf6749a97a",
		certificate: "8C:8A:75:91:56:B0:39:4A:E3:9B:05:DD:A2:34:F3:06:96:73:14:B8:A5:7F:B8:01:EE:6D:34:09:48:79:46:17",
	}, {
		name: "raven-demo", set: keys.RavenDemo, kid: "901", published: true,
		modulus: "B8458BDB4866F8D841045F3B33F7732E6E8D1F75667B509D07A195D0721E57211D1997C00D68B7F7B55A51CF8088D890" +
			"545695235C483339AFB06416EEBDCCCEBA207705F34348A29069FB7158AA2E6E825103969CC5ADDFAF625973C3B941CD" +
			"49E90ABC13C723B92416969C5319AD091276CA57BFCF554143B85784235D5EFF",
		spki:        "d61f4109c85e19bf58a4e7efaf822a4cf1b97a1dd25dcdd363b6d2386ec41a77",
		pkcs1:       "a0a28484963b0419822a12c5a5b4d629719b421b8b0f86fbab863680c336cb23",
		certificate: "B1:8C:7E:4C:B0:A1:20:B8:AC:7D:9A:D3:67:5C:01:15:D1:D8:8A:8E:5A:A0:64:6C:9C:E7:E6:DF:91:6D:8E:5D",
	},
}

func TestBundledKeysHaveThePublishedFigures(t *testing.T) {
	for _, figures := range publishedFigures {
		t.Run(figures.name, func(t *testing.T) {
			require.Equal(t, []string{figures.kid}, kidsOf(figures.set().Keys()))
			key, ok := figures.set().Lookup(figures.kid)
			require.True(t, ok)
			assert.Equal(t, figures.modulus, strings.ToUpper(key.Public().N.Text(16)))
			assert.Equal(t, 65537, key.Public().E)
			assert.Equal(t, 1024, key.Bits())
			assert.Equal(t, keys.Fingerprints{SPKI: figures.spki, PKCS1: figures.pkcs1}, key.Fingerprints())
			assert.Equal(t, figures.published, key.Published())
			assert.Equal(t, "bundled", key.Source())
		})
	}
}

func TestBundledFileIsThePublishedOne(t *testing.T) {
	data, err := os.ReadFile("pubkey2")
	require.NoError(t, err)
	sum := sha256.Sum256(data)
	assert.Equal(t, "c35abba65049a046576fca64686eaa307c5eba77ddce1dba46d7aeb5c3ded0ff", hex.EncodeToString(sum[:]))
}

func TestBundledKeysVerifyWhatTheServicesSigned(t *testing.T) {
	for _, tc := range []struct {
		name, response string
		set            *keys.Set
	}{
		{"live Raven, 2014", "3!200!!20141110T164620Z!1415637980-22212-8!http://raven.cam.ac.uk/debug.html!pms52!current!" +
			"!pwd!36480!!2!vWv9FKPhVXJw-lxuHJEBBM7j3F30jisxy1FIgJw-LL1Vf6ZNKWSmdAaBaJsKyjMT80UZXhoSDyGP8iE1TDFz71P-r2Xjv" +
			"Kl4E8NHfKUUyXpDdI-JS97LVOEwCOivYmuRCI0iePevxxUku11-VlPPTv8qKZnHJG40TPIUKU80VuM_", keys.Raven()},
		{"live Raven, 2005", "2!200!!20050317T151310Z!1111072390-26663-9!http://raven.cam.ac.uk/debug.html!jw35!pwd!!36000" +
			"!For babies!2!r9LDRfDhqaOXLWo3ERATEhzCsRFvPDmRP2krjGjUylpkh9rdnK1knnf1z8P4JWDVQxsMKilnXfPZ-D9G-arghDd-Hgr9JTC" +
			"gnbttwikvL.yYAHvUCnhBY75QCRmBPZ1iQQcKdh2gzxX-HsJhmZ4uTn0vce4IlLFdQLCbALj1nqw_", keys.Raven()},
		{"Raven demo, 2013", "3!200!!20130704T122413Z!1372940650-10196-2!https://demo.raven.cam.ac.uk/nonexistant!test0001!" +
			"current!!pwd!35873!!901!m9S7JSnLZ2.ZoZc1t8Bn4wAfV1LtMhjPwl0eeunAWBPmXLWmhlgFrrS69GLFYkxXSUBjbuq42QZlktRRbb5KK" +
			"AmB8mRfWWHG3q6-P0H8kjrWloFMWSMH3mGsmpbeqhakHwhsOW5NjZpiIaFsFNPsEr8Tv5NWoCFC0DCtkJLZzAg_", keys.RavenDemo()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rest, sig64, _ := cutLast(tc.response, "!")
			text, kid, _ := cutLast(rest, "!")
			sig, err := base64.StdEncoding.DecodeString(strings.NewReplacer("-", "+", ".", "/", "_", "=").Replace(sig64))
			require.NoError(t, err)
			key, ok := tc.set.Lookup(kid)
			require.True(t, ok)
			assert.NoError(t, key.VerifySHA1(sha1.Sum([]byte(text)), sig))
			assert.Error(t, key.VerifySHA1(sha1.Sum([]byte(text+"!")), sig))
		})
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func TestBundledSetsCannotBeChanged(t *testing.T) {
	all := keys.Raven().Keys()
	all[0] = keys.RavenDemo().Keys()[0]
	key, ok := keys.Raven().Lookup("2")
	require.True(t, ok)
	key.Public().N.SetInt64(1)
	again, _ := keys.Raven().Lookup("2")
	assert.Equal(t, publishedFigures[0].modulus, strings.ToUpper(again.Public().N.Text(16)))
	assert.Equal(t, []string{"2"}, kidsOf(keys.Raven().Keys()))
}
