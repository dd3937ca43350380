package remoteuser

import (
	"errors"
	"io"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
)

// separateTrailer has the trailers of a request that handlers see hold nothing that
// claims an identity. They come after the body, so the body tells when they are there.
func (u *RemoteUser) separateTrailer(seen, came *http.Request) {
	if came.Trailer == nil {
		// None was announced. One that comes all the same is put into the request that
		// came, and into no copy of it.
		return
	}
	seen.Trailer = make(http.Header, len(came.Trailer))
	body := &trailingBody{ReadCloser: came.Body, u: u, seen: seen.Trailer, came: came}
	body.copyTrailer() // names without values yet, for those that look what to expect
	seen.Body = body
}

// trailingBody is a request's body with trailers after it.
type trailingBody struct {
	io.ReadCloser
	u    *RemoteUser
	seen http.Header // what handlers see
	came *http.Request
}

func (b *trailingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.copyTrailer()
	}
	return n, err
}

func (b *trailingBody) copyTrailer() {
	var buf [headername.MaxName]byte
	for name, values := range b.came.Trailer {
		if !b.u.isIdentity(name, headername.Fold(&buf, name)) {
			b.seen[name] = values
		}
	}
}
