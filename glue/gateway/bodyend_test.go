package gateway

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lateEnd is a body whose end is told a second time only when the answer to its request has
// begun, as on a busy machine.
type lateEnd struct {
	io.ReadCloser
	ended bool
	begun chan struct{}
}

func (b *lateEnd) Read(p []byte) (int, error) {
	if b.ended {
		<-b.begun
	}
	n, err := b.ReadCloser.Read(p)
	b.ended = b.ended || err == io.EOF
	return n, err
}

// beginning says when the server has got the beginning of an answer.
type beginning struct {
	http.ResponseWriter
	once  sync.Once
	begun chan struct{}
}

func (w *beginning) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *beginning) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	_ = http.NewResponseController(w.ResponseWriter).Flush()
	w.once.Do(func() { close(w.begun) })
	return n, err
}

// TestBodyEnds: an answer that begins before the transport has done with the body of its
// request arrives whole.
func TestBodyEnds(t *testing.T) {
	page := strings.Repeat("page ", 1<<20)
	for name, length := range map[string]int64{"a length": 5, "chunks": -1} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, kit{
				handler: func(w http.ResponseWriter, r *http.Request) {
					text, err := io.ReadAll(r.Body)
					assert.NoError(t, err)
					assert.Equal(t, "hello", string(text))
					_, _ = io.WriteString(w, page)
				},
				site: func(gateway http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						begun := make(chan struct{})
						r.Body = &lateEnd{ReadCloser: r.Body, begun: begun}
						gateway.ServeHTTP(&beginning{ResponseWriter: w, begun: begun}, r)
					})
				},
			})
			answer, err := w.visitor("").try(http.MethodPost, "/public/x", strings.NewReader("hello"), func(r *http.Request) {
				r.ContentLength = length
				r.Header.Set("Origin", w.url)
			})
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, answer.StatusCode)
			assert.Equal(t, page, answer.body)
		})
	}
}
