package site_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

func ExampleLoadSecret() {
	dir, err := os.MkdirTemp("", "soc")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	secret, err := site.LoadSecret(filepath.Join(dir, "secret")) // made on first use
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println("starting with", secret)
	// Output: starting with [redacted site secret]
}

func ExampleParseSecret() {
	_, err := site.ParseSecret("change me")
	fmt.Println(err)
	// Output: site: secret: line 1 is a placeholder, not a secret; make one with: openssl rand -base64 48
}

func ExampleSecret_Derive() {
	// A new line above the old one: the first seals, both open.
	secret, err := site.ParseSecret(`
# since Michaelmas
q0Yb7mJ2xN-4rTgV1sKpZ8eWc5uHdLfA9oXiB3nE6Q_
# until then
0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdeffedcba9876543210
`)
	if err != nil {
		log.Fatal(err)
	}
	keys := secret.Derive("newsletter links", "https://soc.example")
	fmt.Println(len(keys), "keys of", len(keys[0]), "bytes")
	// Output: 2 keys of 32 bytes
}
