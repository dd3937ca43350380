package seal_test

import (
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/seal"
)

func ExampleCodec() {
	keys := [][]byte{vectorKey} // from site.Secret.Derive
	codec, err := seal.New("session cookie", keys)
	if err != nil {
		log.Fatal(err)
	}
	now := time.Date(2026, 10, 6, 12, 0, 0, 0, time.UTC)
	value, err := codec.Seal("__Host-session", now.Add(2*time.Hour), []byte("spqr2"))
	if err != nil {
		log.Fatal(err)
	}

	data, expires, err := codec.Open("__Host-session", value, now)
	fmt.Println(data, expires, err)

	_, _, err = codec.Open("__Host-other", value, now)
	fmt.Println(err)

	data, _, err = codec.Open("__Host-session", value, now.Add(3*time.Hour))
	if errors.Is(err, seal.ErrExpired) {
		fmt.Printf("%s was logged in\n", data)
	}
	// Output:
	// spqr2 2026-10-06 14:00:00 +0000 UTC <nil>
	// seal: not a valid sealed value
	// spqr2 was logged in
}
