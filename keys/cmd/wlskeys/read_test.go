package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/keys/cli"
)

// sshLine returns a public key as OpenSSH writes it.
func sshLine(kind string, parts ...[]byte) []byte {
	var blob []byte
	for _, part := range append([][]byte{[]byte(kind)}, parts...) {
		blob = append(binary.BigEndian.AppendUint32(blob, uint32(len(part))), part...)
	}
	return []byte(kind + " " + base64.StdEncoding.EncodeToString(blob) + " somebody@here\n")
}

func sshRSA(pub *rsa.PublicKey) []byte {
	return sshLine("ssh-rsa", big.NewInt(int64(pub.E)).Bytes(), append([]byte{0}, pub.N.Bytes()...))
}

// TestForms: what is read in any form is the same key, and only PEM is for sites.
func TestForms(t *testing.T) {
	raven := keys.Raven().Keys()[0]
	pkix, err := x509.MarshalPKIXPublicKey(raven.Public())
	require.NoError(t, err)
	pkcs1 := x509.MarshalPKCS1PublicKey(raven.Public())
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	cert := certificate(t, raven.Public())
	certBlock, _ := pem.Decode(cert)
	for _, row := range []struct {
		name string
		data []byte
		form string
	}{
		{"PUBLIC KEY", block("PUBLIC KEY", pkix), formPEM},
		{"RSA PUBLIC KEY", block("RSA PUBLIC KEY", pkcs1), formPEM},
		{"CERTIFICATE", cert, formPEM},
		{"PEM with CR LF", bytes.ReplaceAll(cert, []byte("\n"), []byte("\r\n")), formPEM},
		{"PEM behind a byte order mark", append([]byte("\ufeff"), cert...), formPEM},
		{"PEM with a text above", append([]byte("Key of Raven:\n\n"), cert...), formPEM},
		{"DER of PKIX", pkix, formDER},
		{"DER of PKCS #1", pkcs1, formDER},
		{"DER of a certificate", certBlock.Bytes, formDER},
		{"bare base64", []byte(base64.StdEncoding.EncodeToString(pkix)[:70] + "\n" + base64.StdEncoding.EncodeToString(pkix)[70:] + "\n"), formBase64},
		{"OpenSSH", sshRSA(raven.Public()), formOpenSSH},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			status := run([]string{"compare", "-json", "-", "-service", "Raven"}, bytes.NewReader(row.data), &out, &errs)
			assert.Equal(t, cli.ExitOK, status, "%s%s", &out, &errs)
			var all []map[string]any
			require.NoError(t, json.Unmarshal(out.Bytes(), &all))
			require.Len(t, all, 1)
			assert.Equal(t, row.form, all[0]["form"])
			assert.Equal(t, raven.Fingerprints().SPKI, all[0]["spki_sha256"])
			assert.Equal(t, strings.Contains(strings.ToLower(row.name), "certificate") || strings.HasPrefix(row.name, "PEM"), all[0]["certificate_sha256"] != nil)

			file := write(t, "pubkey2", row.data)
			_, err := keys.LoadFile(file)
			for _, command := range []string{"show", "compare"} {
				_, stdout, _ := runOut(command, file)
				assert.Equal(t, err != nil, strings.Contains(stdout, "a site would not load it"), stdout)
				assert.Equal(t, row.form != formPEM, strings.Contains(stdout, "has to be PEM"), stdout)
			}
		})
	}
}

// TestConversionsInTheHelp: the commands of the help make a file that sites load of one that they do not.
func TestConversionsInTheHelp(t *testing.T) {
	pub := keys.Raven().Keys()[0].Public()
	pkix, err := x509.MarshalPKIXPublicKey(pub)
	require.NoError(t, err)
	cert, _ := pem.Decode(certificate(t, pub))
	for kind, data := range map[string][]byte{"DER, a public key": pkix, "DER, a certificate": cert.Bytes, "OpenSSH": sshRSA(pub)} {
		t.Run(kind, func(t *testing.T) {
			_, line, found := strings.Cut(help, "  "+kind+":")
			require.True(t, found)
			line, _, _ = strings.Cut(strings.TrimSpace(line), "\n")
			tool, _, _ := strings.Cut(line, " ")
			if _, err := exec.LookPath(tool); err != nil {
				t.Skip(tool + " is not installed")
			}
			cmd := exec.Command("sh", "-c", strings.NewReplacer("FILE", "given", "pubkeyN", "pubkey2").Replace(line))
			cmd.Dir = t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(cmd.Dir, "given"), data, 0o600))
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			made := filepath.Join(cmd.Dir, "pubkey2")
			require.NoError(t, os.Chmod(made, 0o644))
			key, err := keys.LoadFile(made)
			require.NoError(t, err)
			assert.True(t, key.Equal(keys.Raven().Keys()[0]))
		})
	}
}

func TestNoPublicKey(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	ecPublic, err := x509.MarshalPKIXPublicKey(&ec.PublicKey)
	require.NoError(t, err)
	const isPrivate = "a private key, where a public one belongs"
	good := sshRSA(&private.PublicKey)
	for _, row := range []struct {
		name string
		data []byte
		says string
	}{
		{"nothing", nil, "there is nothing in it"},
		{"blanks", []byte(" \n"), "there is nothing in it"},
		{"a web page", []byte("<!DOCTYPE html>\n<html>"), "this is a web page"},
		{"UTF-16", []byte("\xff\xfe-\x00-\x00"), "UTF-16"},
		{"RFC 4716", []byte("---- BEGIN SSH2 PUBLIC KEY ----\n"), "ssh-keygen -i"},
		{"a word", []byte("hello"), "no PEM block"},
		{"base64 of something else", []byte("aGVsbG8="), "no PEM block"},
		{"a private key in DER", x509.MarshalPKCS1PrivateKey(private), isPrivate},
		{"a private key in DER, PKCS #8", pkcs8, isPrivate},
		{"a private key in base64", []byte(base64.StdEncoding.EncodeToString(pkcs8)), isPrivate},
		{"a private key of OpenSSH", []byte("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"), isPrivate},
		{"another algorithm", ecPublic, "not an RSA key"},
		{"another algorithm of OpenSSH", sshLine("ssh-ed25519", make([]byte, 32)), "not an RSA key"},
		{"OpenSSH, no key", []byte("ssh-rsa"), "the OpenSSH key is damaged"},
		{"OpenSSH, no base64", []byte("ssh-rsa !"), "the OpenSSH key is damaged"},
		{"OpenSSH, another kind inside", []byte("ssh-rsa " + strings.Fields(string(sshLine("ssh-dss", []byte{3}, []byte{5})))[1]), "the OpenSSH key is damaged"},
		{"OpenSSH, cut short", []byte("ssh-rsa " + strings.Fields(string(good))[1][:100]), "the OpenSSH key is damaged"},
		{"OpenSSH, a part too much", sshLine("ssh-rsa", []byte{3}, []byte{5}, []byte{7}), "the OpenSSH key is damaged"},
		{"OpenSSH, long exponent", sshLine("ssh-rsa", make([]byte, 5), []byte{5}), "the OpenSSH key is damaged"},
		{"OpenSSH, two keys", []byte(string(good) + "\n" + string(good)), "more than one line"},
		{"OpenSSH, too small", sshLine("ssh-rsa", []byte{3}, []byte{5}), "at least 1024"},
		{"far too long", bytes.Repeat([]byte("A"), sizeLimit+1), "too large"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			status := run([]string{"show", "-json", "-"}, bytes.NewReader(row.data), &out, &errs)
			assert.Equal(t, cli.ExitFailed, status)
			assert.Contains(t, errs.String(), "wlskeys: -: ")
			assert.Contains(t, errs.String(), row.says)
			var all []map[string]any
			require.NoError(t, json.Unmarshal(out.Bytes(), &all))
			assert.Equal(t, []string{"error", "file"}, fieldsOf(all[0]))
			assert.Contains(t, all[0]["error"], row.says)
		})
	}
}

func fieldsOf(object map[string]any) []string {
	var names []string
	for _, name := range strings.Fields("bits certificate_sha256 error exponent file form known notes pkcs1_der_sha256 private_key_is_public same spki_sha256 wanted") {
		if _, ok := object[name]; ok {
			names = append(names, name)
		}
	}
	return names
}

// TestJSON: the fields are those that the help promises.
func TestJSON(t *testing.T) {
	raven, missing := bundledFile(t, "pubkey2", "pubkey7"), "/nonexistent/pubkey2"
	status, stdout, _ := runOut("compare", "-json", "-service", "raven", raven, missing)
	assert.Equal(t, cli.ExitFailed, status)
	var all []map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &all))
	assert.Equal(t, []map[string]any{
		{
			"file": raven, "form": "PEM", "bits": 1024.0, "exponent": 65537.0, "known": "raven", "private_key_is_public": false,
			"spki_sha256":      "813ab90a52018aff372740e1baa571273d3573fff8d908952a87c19093522afd",
			"pkcs1_der_sha256": "71e70a79de32b5e8154b7f32aae2807d90cd723608fe4b98328eccbf6749a97a",
			"same":             true, "wanted": "raven",
			"notes": []any{"the file's name says kid 7, but the service signs under kid 2."},
		},
		{"file": missing, "error": missing + ": no such file or directory"},
	}, all)

	all = nil
	unknown := write(t, "pubkey500", unknownKey(t))
	_, stdout, _ = runOut("compare", "-json", unknown)
	require.NoError(t, json.Unmarshal([]byte(stdout), &all))
	assert.Equal(t, false, all[0]["same"])
	assert.NotContains(t, all[0], "known")

	all = nil
	_, stdout, _ = runOut("show", "-json", bundledFile(t, "pubkey901", "pubkey901"))
	require.NoError(t, json.Unmarshal([]byte(stdout), &all))
	assert.Equal(t, true, all[0]["private_key_is_public"])
	assert.NotContains(t, all[0], "same")
}

// TestBinary builds the program and runs it as people do.
func TestBinary(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "wlskeys")
	out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	data, err := os.ReadFile(filepath.Join("..", "..", "pubkey2"))
	require.NoError(t, err)

	cmd := exec.Command(binary, "show", "-")
	cmd.Stdin = bytes.NewReader(data)
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "-: RSA-1024, exponent 65537\n")
	assert.NotContains(t, string(out), "NOTE")

	out, err = exec.Command(binary, "-version").CombinedOutput()
	require.NoError(t, err)
	assert.Regexp(t, `^wlskeys \S+, .*go1\.\d+`, string(out))

	out, err = exec.Command(binary, "shwo").CombinedOutput()
	var ended *exec.ExitError
	require.ErrorAs(t, err, &ended)
	assert.Equal(t, cli.ExitUsage, ended.ExitCode(), "%s", out)
}
