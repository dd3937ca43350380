package keys_test

import (
	"crypto/rsa"
	"crypto/sha1"
	"errors"
	"fmt"
	"log"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/ucam-webauth/go-webauth/keys"
)

// operatorsFile is a key file as an operator might hand it out; it holds Raven's key.
const operatorsFile = `-----BEGIN RSA PUBLIC KEY-----
MIGJAoGBAL/2pwBbVcJKTRF8B+K6W9Oi4xkoPiOb32te0whw7Zuf7cTFCk5tvBa6
CI7wM0R99LtvNLFmoantTps92LjF9fvrCBYZDqpaLnk5clXShKKqt3do4SykqYkq
66kpc42jZ58C3omR0dUfQ7o7yTktVqnrDjLVb9P+vLhAfuSFHFa1AgMBAAE=
-----END RSA PUBLIC KEY-----
`

// exampleDir makes a directory with one key file, for the examples only.
func exampleDir(name string) (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(operatorsFile), 0o600); err != nil {
		log.Fatal(err)
	}
	return dir, func() { os.RemoveAll(dir) }
}

func ExampleRaven() {
	key, ok := keys.Raven().Lookup("2")
	fmt.Println(ok, key)
	// Output: true kid 2 (RSA-1024, SPKI SHA-256 813ab90a52018aff372740e1baa571273d3573fff8d908952a87c19093522afd)
}

func ExampleRavenDemo() {
	key, _ := keys.RavenDemo().Lookup("901")
	fmt.Println("anybody can sign as the demo service:", key.Published())
	// Output: anybody can sign as the demo service: true
}

func ExampleKey_VerifySHA1() {
	key, _ := keys.Raven().Lookup("2")
	err := key.VerifySHA1(sha1.Sum([]byte("what was signed")), []byte("not a signature"))
	fmt.Println(errors.Is(err, rsa.ErrVerification))
	// Output: true
}

func ExampleNew() {
	pub := &rsa.PublicKey{N: big.NewInt(3233), E: 17}
	_, err := keys.New("500", pub)
	fmt.Println(err)
	// Output: keys: the key has 12 bits: at least 1024 are needed
}

func ExampleParse() {
	key, err := keys.Parse("2", []byte(operatorsFile))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key.Bits(), key.Fingerprints().PKCS1)
	// Output: 1024 71e70a79de32b5e8154b7f32aae2807d90cd723608fe4b98328eccbf6749a97a
}

func ExampleLoadFile() {
	dir, remove := exampleDir("pubkey500")
	defer remove()

	key, err := keys.LoadFile(filepath.Join(dir, "pubkey500"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key.Kid(), key.Bits())
	// Output: 500 1024
}

func ExampleLoadFileAs() {
	dir, remove := exampleDir("goose-key.pem")
	defer remove()

	key, err := keys.LoadFileAs("500", filepath.Join(dir, "goose-key.pem"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key.Kid(), key.Bits())
	// Output: 500 1024
}

func ExampleLoadDir() {
	dir, remove := exampleDir("pubkey500")
	defer remove()

	set, err := keys.LoadDir(dir)
	if err != nil {
		log.Fatal(err)
	}
	for _, key := range set.Keys() {
		fmt.Println(key.Kid(), key.Bits(), filepath.Base(key.Source()))
	}
	// Output: 500 1024 pubkey500
}

func ExampleOpenDir() {
	path, remove := exampleDir("pubkey500")
	defer remove()

	dir, err := keys.OpenDir(path)
	if err != nil {
		log.Fatal(err)
	}
	os.Rename(filepath.Join(path, "pubkey500"), filepath.Join(path, "pubkey501"))
	if err := dir.Reload(); err != nil { // or wait for 10 seconds
		log.Print(err)
	}
	_, old := dir.Lookup("500")
	_, current := dir.Lookup("501")
	fmt.Println(old, current)
	// Output: false true
}

func ExampleNewDir() {
	path, remove := exampleDir("pubkey500")
	defer remove()

	dir, err := keys.NewDir(keys.DirConfig{Path: path, Grace: 2 * time.Minute, Interval: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(dir.Keys()), len(dir.Problems()))
	// Output: 1 0
}

func ExampleNewSet() {
	// While a service changes its key, two are in use.
	current, err := keys.Parse("500", []byte(operatorsFile))
	if err != nil {
		log.Fatal(err)
	}
	next, err := keys.Parse("501", []byte(operatorsFile)) // in life, another key
	if err != nil {
		log.Fatal(err)
	}
	set, err := keys.NewSet(current, next)
	if err != nil {
		log.Fatal(err)
	}
	_, ok := set.Lookup("501")
	fmt.Println(ok)
	// Output: true
}

func ExampleIsPublished() {
	demo, _ := keys.RavenDemo().Lookup("901")
	fmt.Println(keys.IsPublished(demo.Public()))
	raven, _ := keys.Raven().Lookup("2")
	fmt.Println(keys.IsPublished(raven.Public()))
	// Output:
	// true
	// false
}

func ExampleValidKid() {
	fmt.Println(keys.ValidKid("901"), keys.ValidKid("0901"))
	// Output: true false
}

func ExampleKnown() {
	key, err := keys.Parse("2", []byte(operatorsFile))
	if err != nil {
		log.Fatal(err)
	}
	for _, known := range keys.Known() {
		if known.Fingerprints.SPKI == key.Fingerprints().SPKI {
			fmt.Println("this is the key of", known.Service)
		}
	}
	// Output: this is the key of Raven
}
