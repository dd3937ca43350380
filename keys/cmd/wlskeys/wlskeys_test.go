package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/keys/cli"
)

// runOut runs the program and returns what it wrote.
func runOut(args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(args, strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

// copyOf copies a file to a temporary one of another name, with mode 0644, and returns its path.
func copyOf(t *testing.T, name string, elements ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elements...))
	require.NoError(t, err)
	return write(t, name, data)
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o644))
	require.NoError(t, os.Chmod(path, 0o644))
	return path
}

func bundledFile(t *testing.T, name, as string) string {
	t.Helper()
	return copyOf(t, as, "..", "..", name)
}

func TestList(t *testing.T) {
	status, stdout, stderr := runOut("list")
	assert.Equal(t, cli.ExitOK, status)
	assert.Empty(t, stderr)
	for _, known := range keys.Known() {
		assert.Contains(t, stdout, known.Name+" ")
		assert.Contains(t, stdout, known.Fingerprints.SPKI)
		assert.Contains(t, stdout, known.Fingerprints.PKCS1)
		assert.Contains(t, stdout, known.Fingerprints.Certificate)
		assert.Contains(t, stdout, known.Note)
	}
	sections := strings.Split(strings.TrimSpace(stdout), "\n\n")
	require.Len(t, sections, len(keys.Known()))
	for i, known := range keys.Known() {
		assert.Equal(t, known.Published, strings.Contains(sections[i], "WARNING"), known.Name)
	}
	assert.Contains(t, sections[2], "nevar        SRCF Nevar, RSA-4096, known to compare with, not bundled")
}

func TestListJSON(t *testing.T) {
	status, stdout, stderr := runOut("list", "-json")
	assert.Equal(t, cli.ExitOK, status)
	assert.Empty(t, stderr)
	var all []map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &all))
	require.Len(t, all, len(keys.Known()))
	assert.Equal(t, map[string]any{
		"name": "raven", "service": "Raven", "kid": "2", "bits": float64(1024), "bundled": true,
		"private_key_is_public": false,
		"spki_sha256":           "813ab90a52018aff372740e1baa571273d3573fff8d908952a87c19093522afd",
		"pkcs1_der_sha256":      "71e70a79de32b5e8154b7f32aae2807d90cd723608fe4b98328eccbf6749a97a",
		"certificate_sha256":    "8c8a759156b0394ae39b05dda234f306967314b8a57fb801ee6d340948794617",
		"note":                  "published at https://raven.cam.ac.uk/project/keys/",
	}, all[0])
	assert.Equal(t, true, all[1]["private_key_is_public"])
	assert.NotContains(t, all[2], "kid", "Nevar's is not published")
}

func TestShow(t *testing.T) {
	plain := bundledFile(t, "pubkey2", "pubkey2")
	demoCert := certificate(t, keys.RavenDemo().Keys()[0].Public())
	demo := write(t, "pubkey901.crt", demoCert)
	block, _ := pem.Decode(demoCert)
	demoSum := sha256.Sum256(block.Bytes)
	odd := bundledFile(t, "pubkey2", "download")
	status, stdout, stderr := runOut("show", plain, demo, odd)
	assert.Equal(t, cli.ExitOK, status)
	assert.Empty(t, stderr)
	assert.Equal(t, plain+`: RSA-1024, exponent 65537
  SPKI SHA-256         813ab90a52018aff372740e1baa571273d3573fff8d908952a87c19093522afd
  PKCS #1 SHA-256      71e70a79de32b5e8154b7f32aae2807d90cd723608fe4b98328eccbf6749a97a
  the key of Raven, kid 2
`+demo+`: RSA-1024, exponent 65537
  SPKI SHA-256         d61f4109c85e19bf58a4e7efaf822a4cf1b97a1dd25dcdd363b6d2386ec41a77
  PKCS #1 SHA-256      a0a28484963b0419822a12c5a5b4d629719b421b8b0f86fbab863680c336cb23
  certificate SHA-256  `+hex.EncodeToString(demoSum[:])+`
  WARNING: the private half of this key is public, so that anybody can sign with it: for tests only.
  the key of Raven demo, kid 901
`+odd+`: RSA-1024, exponent 65537
  SPKI SHA-256         813ab90a52018aff372740e1baa571273d3573fff8d908952a87c19093522afd
  PKCS #1 SHA-256      71e70a79de32b5e8154b7f32aae2807d90cd723608fe4b98328eccbf6749a97a
  the key of Raven, kid 2
  NOTE: as it lies there a site would not load it: `+odd+`: the file's name gives no key id: `+
		"call it pubkeyN, pubkeyN.crt or pubkeyN.pem, where N is the kid that the service signs under\n", stdout)
}

func TestShowGoesOnAfterAFileItCannotRead(t *testing.T) {
	garbage := write(t, "pubkey2", []byte("<html>"))
	good := bundledFile(t, "pubkey2", "pubkey2")
	status, stdout, stderr := runOut("show", garbage, "missing", good)
	assert.Equal(t, cli.ExitFailed, status)
	assert.Contains(t, stderr, "wlskeys: "+garbage+": this is a web page")
	assert.Contains(t, stderr, "wlskeys: missing: no such file or directory\n")
	assert.Contains(t, stdout, good)
}

func TestTheKnownCertificateIsSaidToBeKnown(t *testing.T) {
	key, err := keys.Parse("2", certificate(t, keys.Raven().Keys()[0].Public()))
	require.NoError(t, err)
	known := keys.Known()[0]
	known.Fingerprints = key.Fingerprints()
	var out bytes.Buffer
	printSame(&out, &entry{File: "pubkey2.crt", facts: factsOf(key, formPEM)}, key, known)
	assert.Contains(t, out.String(), "The certificate is the one we know, too.")
}

func TestCompare(t *testing.T) {
	raven := bundledFile(t, "pubkey2", "pubkey2")
	demo := bundledFile(t, "pubkey901", "pubkey901")
	demoAsRaven := bundledFile(t, "pubkey901", "pubkey2")
	ravenAsOther := bundledFile(t, "pubkey2", "pubkey500.pem")
	otherCert := write(t, "pubkey2.crt", certificate(t, keys.Raven().Keys()[0].Public()))
	unknown := write(t, "pubkey500", unknownKey(t))
	private := copyOf(t, "pubkey7", "..", "..", "..", "webauth", "internal", "testkeys", "testRSA2048.pem")
	for _, tc := range []struct {
		name   string
		args   []string
		status int
		says   []string
		not    string
	}{
		{"same, service named", []string{"-service", "raven", raven}, 0, []string{"the same key as that of Raven, kid 2"}, "NOTE"},
		{"same, flag after the file", []string{raven, "-service", "raven"}, 0, []string{"same key"}, ""},
		{"same, flag between files", []string{raven, "--service=raven", otherCert}, 0, []string{"same key"}, ""},
		{"same, found out", []string{raven}, 0, []string{"the same key as that of Raven, kid 2"}, "WARNING"},
		{"other certificate of the same key", []string{otherCert}, 0, []string{"certificate is not the one we know", "only the key counts"}, ""},
		{"other kid in the name", []string{ravenAsOther}, 0, []string{"NOTE: the file's name says kid 500, but the service signs under kid 2."}, ""},
		{"demo key named", []string{"-service", "raven-demo", demo}, 0, []string{"same key", "WARNING"}, ""},
		{"demo key not named", []string{demo}, 1, []string{"WARNING", "Use -service raven-demo"}, ""},
		{"demo key as pubkey2", []string{demoAsRaven}, 1, []string{"WARNING", "NOTE: the file's name says kid 2"}, ""},
		{"demo key for Raven's", []string{"-service", "raven", demoAsRaven}, 1,
			[]string{"DIFFERENT from the key of Raven, kid 2", "it is the key of Raven demo", "WARNING"}, "same key"},
		{"Raven's key for Nevar's", []string{"-service", "nevar", raven}, 1,
			[]string{"DIFFERENT from the key of SRCF Nevar\n", "1040a024c8f44acf"}, "same key"},
		{"unknown key", []string{unknown}, 1, []string{"DIFFERENT from every known key"}, "WARNING"},
		{"unknown key, service named", []string{unknown, "-service", "nevar"}, 1, []string{"DIFFERENT"}, ""},
		{"one of two different", []string{"-service", "raven", raven, demo}, 1, []string{"same key", "DIFFERENT"}, ""},
		{"the other of two different", []string{"-service", "raven", demo, raven}, 1, []string{"same key", "DIFFERENT"}, ""},
		{"one of two missing", []string{"missing", unknown}, 1, []string{"wlskeys: missing: no such file"}, ""},
		{"private key", []string{private}, 1, []string{"pubkey7: a private key, where a public one belongs"}, ""},
		{"no file", nil, 2, []string{"at least one file"}, ""},
		{"no file but a service", []string{"-service", "raven"}, 2, []string{"at least one file"}, ""},
		{"in capitals", []string{"-service", "RAVEN", raven}, 0, []string{"same key"}, ""},
		{"unknown service", []string{"-service", "ravne", raven}, 2, []string{`"ravne" is none of raven, raven-demo, nevar`, `did you mean "raven"?`}, ""},
		{"empty service", []string{"-service", "", raven}, 2, []string{`"" is none of raven`}, ""},
		{"unknown flag", []string{"-x", raven}, 2, []string{"-x"}, ""},
		{"flag without its value", []string{raven, "-service"}, 2, []string{"-service"}, ""},
		{"files named like flags", []string{"a", "--", "-service", "b"}, 1, []string{
			"wlskeys: a: no such file or directory\nwlskeys: -service: no such file or directory\nwlskeys: b: ",
		}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, stdout, stderr := runOut(append([]string{"compare"}, tc.args...)...)
			assert.Equal(t, tc.status, status)
			out := stdout + stderr
			if tc.status == cli.ExitUsage {
				assert.Empty(t, stdout)
			}
			for _, s := range tc.says {
				assert.Contains(t, out, s)
			}
			if tc.not != "" {
				assert.NotContains(t, out, tc.not)
			}
		})
	}
}

func TestCommands(t *testing.T) {
	for _, tc := range []struct {
		name   string
		args   []string
		status int
		stdout string
		stderr string
	}{
		{"nothing", nil, 2, "", "wlskeys: which command? There are list, show, compare\nRun 'wlskeys -help' for help.\n"},
		{"version", []string{"version"}, 0, "wlskeys " + cli.Version() + "\n", ""},
		{"--version", []string{"--version"}, 0, "wlskeys " + cli.Version() + "\n", ""},
		{"-version of a command", []string{"show", "-version"}, 0, "wlskeys " + cli.Version() + "\n", ""},
		{"help", []string{"help"}, 0, help, ""},
		{"-h", []string{"-h"}, 0, help, ""},
		{"help of a command", []string{"compare", "-h"}, 0, help, ""},
		{"unknown command", []string{"trust"}, 2, "", `command "trust" is none of list, show, compare`},
		{"mistyped command", []string{"shwo"}, 2, "", `did you mean "show"?`},
		{"list with a file", []string{"list", "pubkey2"}, 2, "", "list takes no files"},
		{"list with an unknown flag", []string{"list", "-xml"}, 2, "", "-xml"},
		{"show without a file", []string{"show"}, 2, "", "at least one file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, stdout, stderr := runOut(tc.args...)
			assert.Equal(t, tc.status, status)
			assert.Equal(t, tc.stdout, stdout)
			assert.Contains(t, stderr, tc.stderr)
		})
	}
}
