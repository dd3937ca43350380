package gateway

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"
)

// schemeH2C is that of backends that speak HTTP/2 without TLS, and know so beforehand
// (RFC 9113 section 3.3).
const schemeH2C = "h2c"

// What is known about a backend's version of HTTP.
const (
	versionUnknown = iota
	versionHTTP2
	versionHTTP1 // at times at least
)

// silentHTTP2 is how long a connection may say nothing while requests wait before it is
// asked whether it lives (RFC 9113 section 6.7). All requests share it: one that is lost
// would keep them all waiting for as long as the kernel sends again.
const silentHTTP2 = 15 * time.Second

// newTransport returns a transport for HTTP/1.1.
func newTransport(key *backendKey) *http.Transport {
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: key.dial, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   key.dial,
		ResponseHeaderTimeout: key.response,
		ExpectContinueTimeout: continueTimeout,
		IdleConnTimeout:       key.idle,
		MaxIdleConnsPerHost:   key.mostIdles,
		MaxConnsPerHost:       key.most,
		// The backend's own compression goes through as it is, or none.
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxAnswerHeader,
		ReadBufferSize:         16 << 10,
		WriteBufferSize:        16 << 10,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: silentHTTP2},
	}
}

// offerHTTP2 has a transport speak HTTP/2 with servers that choose it.
func offerHTTP2(t *http.Transport) {
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.Protocols.SetHTTP2(true)
}

var errNotHTTP2 = errors.New("the backend does not speak HTTP/2")

// newHTTP2Transport returns a transport that connects with servers that choose HTTP/2, and
// returns errNotHTTP2 for others before it has sent anything.
func newHTTP2Transport(key *backendKey, config *tls.Config) *http.Transport {
	t := newTransport(key)
	t.MaxConnsPerHost = 0 // backend.slots bounds them: each has a request
	t.TLSClientConfig = config.Clone()
	t.TLSClientConfig.VerifyConnection = func(state tls.ConnectionState) error {
		if state.NegotiatedProtocol != "h2" {
			return errNotHTTP2
		}
		return nil
	}
	offerHTTP2(t)
	return t
}

// newH2CTransport returns a transport for HTTP/2 without TLS.
func newH2CTransport(key *backendKey) *http.Transport {
	t := newTransport(key)
	t.MaxConnsPerHost = 0 // as above
	t.Protocols = new(http.Protocols)
	t.Protocols.SetUnencryptedHTTP2(true)
	return t
}

// roundTrip sends a request and returns the answer's beginning. A WebSocket takes HTTP/1.1,
// and so does what is unknown: a request that must stand alone there would cost a connection
// each time if it were sent by HTTP/2, where it need not, for frames say where each ends.
func (b *backend) roundTrip(r *http.Request) (*http.Response, error) {
	if r.Header["Upgrade"] == nil && b.speaks.Load() == versionHTTP2 {
		resp, err := b.h2.RoundTrip(r)
		if !errors.Is(err, errNotHTTP2) {
			return resp, err
		}
		b.speaks.Store(versionHTTP1) // for good: there may be several servers
	}
	r.Close = standsAlone(r)
	resp, err := b.transport.RoundTrip(r)
	if err == nil && resp.ProtoMajor == 2 {
		b.speaks.CompareAndSwap(versionUnknown, versionHTTP2)
	}
	return resp, err
}

// standsAlone reports whether nobody is to use the connection to the backend after this
// request. A server that expects no body with the method, or knows no chunks, could take
// the body for the next request; and what a program sends with its answer to HEAD, against
// RFC 9110 section 9.3.2, would be the answer to the next one.
func standsAlone(r *http.Request) bool {
	switch r.Method {
	case http.MethodHead:
		return true
	case http.MethodGet, http.MethodOptions:
		return r.ContentLength != 0
	}
	return r.ContentLength < 0
}
