package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
)

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func unknownKey(t *testing.T) []byte {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	return pemOf("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&private.PublicKey))
}

// certificate makes one for a key that somebody else holds, signed by a key of its own.
func certificate(t *testing.T, pub *rsa.PublicKey) []byte {
	t.Helper()
	signer, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Date(2004, 8, 10, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2004, 9, 9, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, pub, signer)
	require.NoError(t, err)
	return pemOf("CERTIFICATE", der)
}

// helpCommand is one line of the help that computes a fingerprint.
type helpCommand struct{ block, fingerprint, shell string }

func helpCommands(t *testing.T) []helpCommand {
	t.Helper()
	var commands []helpCommand
	block := ""
	for line := range strings.Lines(help) {
		if m := regexp.MustCompile(`^For a file that begins -----BEGIN (.+)-----\n`).FindStringSubmatch(line); m != nil {
			block = m[1]
		}
		if m := regexp.MustCompile(`^  (.+): +(openssl .*)\n`).FindStringSubmatch(line); m != nil && block != "" {
			commands = append(commands, helpCommand{block, m[1], m[2]})
		}
	}
	return commands
}

// Every openssl command of the help, run as it stands there, gives the fingerprint that we give.
func TestOpenSSLCommandsInTheHelp(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			require.NoError(t, err, "continuous integration must check the commands of the help")
		}
		t.Skip("openssl is not installed: the commands of the help stay unchecked")
	}
	pub := keys.Raven().Keys()[0].Public()
	spki, err := x509.MarshalPKIXPublicKey(pub)
	require.NoError(t, err)
	files := map[string][]byte{
		"RSA PUBLIC KEY": pemOf("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(pub)),
		"PUBLIC KEY":     pemOf("PUBLIC KEY", spki),
		"CERTIFICATE":    certificate(t, pub),
	}
	commands := helpCommands(t)
	require.Len(t, commands, 7)
	for _, c := range commands {
		t.Run(c.block+" "+c.fingerprint, func(t *testing.T) {
			require.Contains(t, files, c.block)
			key, err := keys.Parse("2", files[c.block])
			require.NoError(t, err)
			prints := key.Fingerprints()
			want := map[string]string{"SPKI": prints.SPKI, "PKCS #1": prints.PKCS1, "certificate": prints.Certificate}
			require.NotEmpty(t, want[c.fingerprint])

			path := write(t, "key.pem", files[c.block])
			shell := exec.Command("sh", "-c", strings.ReplaceAll(c.shell, "FILE", path))
			out, err := shell.Output()
			require.NoError(t, err)
			assert.True(t, strings.HasSuffix(strings.TrimSpace(string(out)), "= "+want[c.fingerprint]), "openssl says %s", out)
		})
	}
}
