package gateway

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// smuggled is a request that no part of a test sends as one of its own.
func smuggled(w *world) string {
	return "GET /private/smuggled HTTP/1.1\r\nHost: " + w.host + "\r\nRemote-User: evil\r\n\r\n"
}

// framingTrick is the part of a request that says where it ends, and what comes after it.
type framingTrick struct {
	name, head, body string
	passes           bool // as one honest request with no body, whatever became of the rest
}

// framingTricks leave the end of a request in doubt, with inner where one reader or
// another would see it.
func framingTricks(inner string) []framingTrick {
	chunked := "0\r\n\r\n" + inner
	return []framingTrick{
		{"length and chunked", "Content-Length: 5\r\nTransfer-Encoding: chunked", chunked, true},
		{"chunked and length", "Transfer-Encoding: chunked\r\nContent-Length: 5", chunked, true},
		{"length of all, and chunked", "Content-Length: 9999\r\nTransfer-Encoding: chunked", chunked, true},
		{"two lengths", "Content-Length: 0\r\nContent-Length: 99", inner, false},
		{"two lengths, the first greater", "Content-Length: 99\r\nContent-Length: 0", inner, false},
		{"two lengths in a list", "Content-Length: 0, 99", inner, false},
		{"two equal lengths", "Content-Length: 0\r\nContent-Length: 0", inner, true},
		{"signed length", "Content-Length: +0", inner, false},
		{"negative length", "Content-Length: -1", inner, false},
		{"hexadecimal length", "Content-Length: 0x0", inner, false},
		{"empty length", "Content-Length:", inner, false},
		{"length with a blank in it", "Content-Length: 0 0", inner, false},
		{"blank before the colon", "Content-Length : 99", inner, false},
		{"folded length", "Content-Length:\r\n 0", inner, true},
		{"length with an underscore", "Content_Length: 99", inner, true},
		{"chunked, underscore", "Transfer_Encoding: chunked", chunked, true},
		{"chunked, blank before the colon", "Transfer-Encoding : chunked", chunked, false},
		{"chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", chunked, false},
		{"chunked in a list", "Transfer-Encoding: identity, chunked", chunked, false},
		{"chunked before another", "Transfer-Encoding: chunked, identity", chunked, false},
		{"another before chunked", "Transfer-Encoding: gzip, chunked", chunked, false},
		{"identity", "Transfer-Encoding: identity\r\nContent-Length: 5", chunked, false},
		{"unknown coding", "Transfer-Encoding: xchunked", chunked, false},
		{"chunked in capitals", "Transfer-Encoding: CHUNKED", chunked, true},
		{"chunked with a tab", "Transfer-Encoding:\tchunked", chunked, true},
		{"chunked with a vertical tab", "Transfer-Encoding: \x0bchunked", chunked, false},
		{"chunked in quotes", "Transfer-Encoding: \"chunked\"", chunked, false},
		{"chunked, folded", "Transfer-Encoding:\r\n chunked", chunked, true},
		{"folded behind another", "X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 0", inner, true},
		{"chunked after a bare line feed", "X-A: b\nTransfer-Encoding: chunked", chunked, true},
		{"chunked after a bare carriage return", "X-A: b\rTransfer-Encoding: chunked", chunked, false},
		{"chunk extension", "Transfer-Encoding: chunked", "0;a=b\r\n\r\n" + inner, true},
		{"chunk extension with a line feed", "Transfer-Encoding: chunked", "2;a\nxx\r\n0\r\n\r\n" + inner, false},
		{"chunk size, 0x", "Transfer-Encoding: chunked", "0x0\r\n\r\n" + inner, false},
		{"chunk size, signed", "Transfer-Encoding: chunked", "-1\r\n\r\n" + inner, false},
		{"chunk size too large", "Transfer-Encoding: chunked", "ffffffffffffffffff\r\n\r\n" + inner, false},
		{"chunk size that overflows", "Transfer-Encoding: chunked", "100000000000000000\r\n" + inner, false},
		{"chunk size with an underscore", "Transfer-Encoding: chunked", "1_0\r\n" + inner, false},
		{"chunk without its end", "Transfer-Encoding: chunked", "1\r\nab\r\n0\r\n\r\n" + inner, false},
		{"last chunk after a bare line feed", "Transfer-Encoding: chunked", "1\r\na\n0\r\n\r\n" + inner, false},
		{"trailer that looks like a request", "Transfer-Encoding: chunked", "0\r\nGET /private/smuggled HTTP/1.1: x\r\nRemote-User: evil\r\n\r\n" + inner, false},
		{"100-continue, chunked", "Expect: 100-continue\r\nTransfer-Encoding: chunked", chunked, true},
		{"another expectation", "Expect: 100-evil\r\nContent-Length: 0", inner, false},
		{"upgrade to h2c", "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: 0", inner, true},
		{"nothing about a body", "X-A: b", inner, true},
	}
}

// TestBypassSmuggling sends requests whose end is in doubt, with another request after
// where one reader or another would see the end.
func TestBypassSmuggling(t *testing.T) { eachBackend(t, testBypassSmuggling) }

func testBypassSmuggling(t *testing.T, speaking func(*kit)) {
	w := openWorld(t, speaking)
	for _, tt := range framingTricks(smuggled(w)) {
		t.Run(tt.name, func(t *testing.T) {
			for _, version := range []string{"1.1", "1.0"} {
				for _, method := range []string{"POST", "GET"} {
					head := method + " /public/x HTTP/" + version + "\r\nHost: " + w.host + "\r\n" + tt.head + "\r\n\r\n"
					// The connection ends after the second request, which is there to be
					// answered as one of its own, by the gateway: with no session.
					tail := "GET /private/last HTTP/1.1\r\nHost: " + w.host + "\r\nConnection: close\r\n\r\n"
					// In HTTP/1.0 a length counts that chunked replaces: the gateway waits for all
					// of it, until the client says that no more comes.
					waits := version == "1.0" && strings.HasPrefix(tt.head, "Content-Length: 9999")
					answer := w.wireEnding(head+tt.body+tail, waits)
					all := w.backend.take()
					for _, s := range all {
						mustNotClaim(t, s, "")
						assert.Equal(t, "/public/x", s.Target)
						if len(s.Encoding) > 0 {
							assert.Equal(t, []string{"chunked"}, s.Encoding)
							assert.Equal(t, int64(-1), s.Length)
						}
						assert.Empty(t, s.Header["Upgrade"])
						assert.Empty(t, s.Header["Http2-Settings"])
					}
					assert.LessOrEqual(t, len(all), 1)
					if version == "1.1" {
						assert.Equal(t, tt.passes, len(all) == 1, "%s", answer)
					}
					assert.NotContains(t, answer, "smuggled for")
				}
			}
			// The connections to the backend are in step: an honest request gets its answer.
			answer := w.wire(w.request("GET /public/honest HTTP/1.1"))
			assert.Contains(t, answer, "backend: GET /public/honest for \n")
			w.backend.reset()
		})
	}
}

// TestStandsAlone: a server that does not read a body would take it for the next request,
// and one that answers HEAD with a body has that taken for the next answer.
func TestStandsAlone(t *testing.T) {
	w := openWorld(t)
	inner := smuggled(w)
	length, chunked := "Content-Length: "+itoa(len(inner)), "Transfer-Encoding: chunked"
	chunk := hexadecimal(len(inner)) + "\r\n" + inner + "\r\n0\r\n\r\n"
	for _, tt := range []struct {
		name, method, header, wire, body string
		alone                            bool
	}{
		{"GET", "GET", "X-A: b", "", "", false},
		{"GET with a body", "GET", length, inner, inner, true},
		{"GET with chunks", "GET", chunked, chunk, inner, true},
		{"HEAD", "HEAD", "X-A: b", "", "", true},
		{"HEAD with a body", "HEAD", length, inner, inner, true},
		{"OPTIONS", "OPTIONS", "X-A: b", "", "", false},
		{"OPTIONS with a body", "OPTIONS", length, inner, inner, true},
		{"POST", "POST", "Content-Length: 0", "", "", false},
		{"POST with a body", "POST", length, inner, inner, false},
		{"POST with chunks", "POST", chunked, chunk, inner, true},
		{"DELETE", "DELETE", "X-A: b", "", "", false},
		{"PUT with chunks", "PUT", chunked, chunk, inner, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer := w.wire(w.request(tt.method+" /optional/x HTTP/1.1", tt.header) + tt.wire)
			require.Equal(t, 200, statusOf(t, answer))
			got := w.backend.one(t)
			assert.Equal(t, tt.body, got.Body)
			assert.Equal(t, tt.alone, got.Close)
		})
	}
}

// TestBypassMethods: what some server takes for another method is none.
func TestBypassMethods(t *testing.T) {
	w := openWorld(t)
	for method, passes := range map[string]bool{
		"GET": true, "DELETE": true, "PROPFIND": true, "M-SEARCH": true, "VERSION-CONTROL": true, "FROB": true,
		"get": false, "Get": false, "HEAd": false, "delete": false, "POST_": false, "M_SEARCH": false, "TRACE": false, "trace": false, "CONNECT": false, "GET1": false,
		strings.Repeat("X", 32): true, strings.Repeat("X", 33): false,
	} {
		t.Run(method, func(t *testing.T) {
			answer := w.wire(w.request(method + " /optional/x HTTP/1.1"))
			all := w.backend.take()
			if !passes {
				assert.Empty(t, all)
				assert.Contains(t, []int{400, 405}, statusOf(t, answer))
				return
			}
			require.Len(t, all, 1, answer)
			assert.Equal(t, method, all[0].Method)
		})
	}
}

// TestBypassOversized: what is too large is refused before anything is asked.
func TestBypassOversized(t *testing.T) {
	w := openWorld(t, func(k *kit) {
		k.server = func(s *http.Server) { s.MaxHeaderBytes = 16 << 10 }
		config := k.config
		k.config = func(cfg *Config) { config(cfg); cfg.Limits.BodyBytes = 1000 }
	})
	long := strings.Repeat("x", 1<<20)
	for name, request := range map[string]string{
		"target":       "GET /" + long + " HTTP/1.1\r\nHost: " + w.host + "\r\n\r\n",
		"header":       w.request("GET /public HTTP/1.1", "X-Long: "+long),
		"many headers": w.request("GET /public HTTP/1.1", strings.Repeat("X-Many: x\r\n", 1<<16)+"X-A: b"),
		"cookie":       w.request("GET /public HTTP/1.1", "Cookie: a="+long),
		"body":         w.request("POST /public HTTP/1.1", "Content-Length: 1001") + long[:1001],
		"chunked body": w.request("POST /public HTTP/1.1", "Transfer-Encoding: chunked") + "ffff\r\n" + long[:0xffff] + "\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn := w.dial()
			defer conn.Close()
			go func() { _, _ = conn.Write([]byte(request)) }() // it may be refused before it ends
			answer := readAll(conn)
			if answer != "" { // else it was reset, with the answer lost
				assert.Contains(t, []int{413, 431}, statusOf(t, answer))
			}
			assert.Empty(t, w.backend.take())
		})
	}
	answer := w.wire(w.request("POST /public HTTP/1.1", "Content-Length: 1000") + long[:1000])
	assert.Equal(t, 200, statusOf(t, answer))
	assert.Len(t, w.backend.one(t).Body, 1000)
}

// TestBypassSlow: a request whose header never ends reaches nobody.
func TestBypassSlow(t *testing.T) {
	w := openWorld(t, func(k *kit) {
		k.server = func(s *http.Server) { s.ReadHeaderTimeout = 20 * time.Millisecond }
	})
	conn := w.dial()
	defer conn.Close()
	_, err := conn.Write([]byte("GET /public HTTP/1.1\r\nHost: " + w.host + "\r\nX-A: "))
	require.NoError(t, err)
	_ = readAll(conn) // until the gateway has had enough
	assert.Empty(t, w.backend.take())
}
