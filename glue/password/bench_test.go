package password_test

import (
	"log/slog"
	"testing"

	"github.com/ucam-webauth/go-webauth/glue/password"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// What a request costs whose name and password were right lately.
func BenchmarkVerifyRemembered(b *testing.B) {
	soc, err := site.New(site.Config{BaseURL: "https://soc.example", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	checker, err := password.New(password.Config{Site: soc, Check: onePassword})
	if err != nil {
		b.Fatal(err)
	}
	r := from("192.0.2.1")
	b.ReportAllocs()
	for b.Loop() {
		if v := checker.Verify(r, "ada", "correct horse"); !v.Right {
			b.Fatal(v)
		}
	}
}
