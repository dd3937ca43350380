package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// balancer sends requests to the machines in turn, as a front server does: where one
// refuses the connection, the next gets the request. What carries a response goes to all
// of them at once, as after a double click or by an eager proxy.
type balancer struct {
	addrs     []string
	next      atomic.Uint64
	transport *http.Transport
	replays   *replays
	logouts   logouts
}

func newBalancer(addrs []string, replays *replays) *balancer {
	return &balancer{addrs: addrs, transport: &http.Transport{MaxIdleConnsPerHost: 100}, replays: replays}
}

// handler returns the balancer as browsers see it.
func (b *balancer) handler() http.Handler {
	return &httputil.ReverseProxy{
		Transport: b,
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host }, // where to is RoundTrip's choice
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { // counted by its status
			w.WriteHeader(http.StatusBadGateway)
		},
	}
}

// RoundTrip implements http.RoundTripper.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(io.LimitReader(r.Body, 1<<20)); err != nil {
			return nil, err
		}
	}
	start := int(b.next.Add(1) % uint64(len(b.addrs)))
	if key := responseKey(r); key != "" {
		return b.toAll(r, start, key)
	}
	resp, err := b.toOne(r, start, body)
	if err == nil && r.Method == http.MethodPost && r.URL.Path == logoutPath && resp.StatusCode == http.StatusOK {
		b.logouts.note(r.Header.Get("Cookie"))
	}
	return resp, err
}

// request returns a request for one of the machines.
func (b *balancer) request(ctx context.Context, random *rand.Rand, path, query string) *http.Request {
	u := url.URL{Scheme: "http", Host: b.addrs[random.IntN(len(b.addrs))], Path: path, RawQuery: query}
	r := &http.Request{Method: http.MethodGet, URL: &u, Host: b.replays.host, Header: http.Header{}}
	return r.WithContext(ctx)
}

// run replays until the context ends: a little while all is well, much while something is
// down or has just come back.
func (b *balancer) run(ctx context.Context, random *rand.Rand) {
	for ctx.Err() == nil {
		b.replays.again(ctx, b, random)
		if random.IntN(4) == 0 {
			b.logouts.again(ctx, b, random)
		}
		if b.replays.stats.failingOver() {
			pause(ctx, 10*time.Millisecond)
		} else {
			pause(ctx, 50*time.Millisecond)
		}
	}
}

// toOne sends a request to a machine, or to the next if nobody listens there.
func (b *balancer) toOne(r *http.Request, start int, body []byte) (resp *http.Response, err error) {
	for i := range b.addrs {
		resp, err = b.send(r, (start+i)%len(b.addrs), body)
		if op, ok := errors.AsType[*net.OpError](err); !ok || op.Op != "dial" {
			return resp, err
		}
	}
	return nil, err
}

// send sends a request to a machine.
func (b *balancer) send(r *http.Request, to int, body []byte) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host = "http", b.addrs[to]
	if out.Host == "" {
		out.Host = r.URL.Host
	}
	out.Body, out.GetBody = http.NoBody, nil
	if len(body) > 0 {
		out.Body = io.NopCloser(bytes.NewReader(body))
	}
	return b.transport.RoundTrip(out)
}

// toAll sends a response to all machines at once, and returns the answer of the one that
// accepts it; if none does, of the first.
func (b *balancer) toAll(r *http.Request, start int, key string) (*http.Response, error) {
	r = r.WithContext(context.WithoutCancel(r.Context())) // what was sent is answered
	b.replays.arrives(key, r)
	answers, errs := make([]*http.Response, len(b.addrs)), make([]error, len(b.addrs))
	var sending sync.WaitGroup
	for i := range b.addrs {
		sending.Go(func() {
			out := r.Clone(r.Context())
			if i == 0 {
				answers[i], errs[i] = b.toOne(out, start, nil)
				return
			}
			out.Header.Set(senderHeader, senderCopy)
			answers[i], errs[i] = b.send(out, (start+i)%len(b.addrs), nil)
		})
	}
	sending.Wait()
	best := 0
	verdicts := make([]string, len(b.addrs))
	for i, a := range answers {
		if verdicts[i] = verdict(a); verdicts[i] == accepted {
			best = i
		}
	}
	b.replays.answered(key, verdicts)
	for i, a := range answers {
		if i != best && a != nil {
			_ = a.Body.Close() // it was small
		}
	}
	return answers[best], errs[best]
}

// verdict returns what an answer says of a response; of none, that nobody knows.
func verdict(a *http.Response) string {
	if a == nil || a.Header.Get(verdictHeader) == "" {
		return failed
	}
	return a.Header.Get(verdictHeader)
}
