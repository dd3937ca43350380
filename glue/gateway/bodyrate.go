package gateway

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// errSlowBody is the error of reading a body that comes too slowly.
var errSlowBody = errors.New("the body came too slowly (see limits.body-rate)")

// bodyPace bounds how slowly the body of a request may come: whoever opens many
// connections and drips into them would otherwise hold all that a backend has, and
// nothing but the connections themselves shows it. Counted is the time in which somebody
// waits for the client, not that in which the client waits for a backend.
type bodyPace struct {
	io.ReadCloser
	control *http.ResponseController
	rate    int64         // bytes a second; negative is no bound
	grace   time.Duration // on top, for a beginning on a bad line
	whole   time.Time     // when Limits.BodyTimeout is over; zero for none
	streams bool          // HTTP/2: a deadline that has passed cannot be put off any more

	read   int64
	waited time.Duration

	mu    sync.Mutex
	ended bool // the handler has returned
}

// paceBody puts the bound around the body of a request that has one, before anybody reads
// from it. The handler of the request calls end on what it returns, which is nil for others.
func paceBody(w http.ResponseWriter, r *http.Request, l *Limits) *bodyPace {
	if r.Body == nil || r.Body == http.NoBody || l.BodyGrace < 0 {
		return nil
	}
	b := &bodyPace{
		ReadCloser: r.Body, control: http.NewResponseController(w),
		rate: l.BodyRate, grace: time.Duration(l.BodyGrace), streams: r.ProtoMajor >= 2,
	}
	if whole := timeoutOf(r, l); whole > 0 {
		b.whole = time.Now().Add(whole)
	}
	if !b.streams && b.rate > 0 {
		// What nobody reads, as before a login, net/http reads to keep the connection.
		b.setDeadline(time.Now().Add(b.grace))
	}
	r.Body = b
	notesOf(r.Context()).body = b
	return b
}

// timeoutOf returns how long the whole request may take, by the configuration or by the
// server around the gateway, whose deadline is the one that is moved; zero is no bound.
func timeoutOf(r *http.Request, l *Limits) time.Duration {
	if server, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && l.BodyTimeout <= 0 {
		return server.ReadTimeout
	}
	return time.Duration(l.BodyTimeout)
}

// end leaves the connection alone from now on. A transport may read on when its request
// was answered early and the handler has returned: then the connection is for the next
// request, or, in HTTP/2, there is no stream any more that could have a deadline.
func (b *bodyPace) end() {
	if b != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.ended = true
	}
}

// use replaces the bound by that of a rule, for what is still to come; nil is for
// requests without a body.
func (b *bodyPace) use(rate int64) {
	if b != nil && rate != 0 {
		b.rate = rate
	}
}

// Read fails with errSlowBody where the client takes longer than it may.
func (b *bodyPace) Read(p []byte) (int, error) {
	if b.rate < 0 {
		b.setDeadline(b.whole)
		n, err := b.ReadCloser.Read(p)
		return n, asSlow(err)
	}
	began := time.Now()
	left := b.left()
	if left <= 0 {
		return 0, errSlowBody
	}
	b.setDeadline(began.Add(left))
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	b.waited += time.Since(began)
	b.forget()
	if err == io.EOF || err == nil && b.streams {
		b.setDeadline(b.whole) // the rest of the request may take what it takes
	}
	return n, asSlow(err)
}

// asSlow says what a deadline that has passed means.
func asSlow(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errSlowBody
	}
	return err
}

// left is how much longer the client may be waited for.
func (b *bodyPace) left() time.Duration {
	earned := time.Duration(float64(b.read) / float64(b.rate) * float64(time.Second))
	return b.grace + earned - b.waited
}

// longestPause is what a client can earn at most by what it has sent quickly, for a bad
// line in the middle: a megabyte would keep a connection for half an hour else.
const longestPause = time.Minute

// forget lets what was earned beyond that go.
func (b *bodyPace) forget() { b.waited += max(0, b.left()-max(b.grace, longestPause)) }

// setDeadline ends a read at t, or when all of the request had to be there. Where the
// server cannot do that, its own limits must do.
func (b *bodyPace) setDeadline(t time.Time) {
	if !b.whole.IsZero() && b.whole.Before(t) {
		t = b.whole
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		_ = b.control.SetReadDeadline(t)
	}
}
