package gateway

import (
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// benchWay is one way to the same backend.
type benchWay struct {
	name, url, cookie string
	client            *http.Client
	cpu, wall         []time.Duration // of each turn
}

// benchWays are a bare httputil.ReverseProxy, which has nothing but a Rewrite and the
// gateway's transport settings, so that it keeps as many connections; the same with the
// gateway's pool of buffers; and the gateway as a person who is logged in, without and
// with an access log.
func benchWays(b *testing.B) []*benchWay {
	page := []byte(strings.Repeat("x", 1024))
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "max-age=60")
		_, _ = w.Write(page)
	}))
	b.Cleanup(backend.Close)
	to, err := url.Parse(backend.URL)
	require.NoError(b, err)
	rules := []Rule{{Path: "/private", To: backend.URL}}
	quiet := newWorld(b, kit{rules: rules})
	logged := newWorld(b, kit{rules: rules, config: func(cfg *Config) {
		cfg.Log.Access = filepath.Join(b.TempDir(), "access.log")
	}})
	transport := quiet.gateway.core.Load().ruleFor(quiet.host, "/private").backend.transport
	bare := benchBare(b, to, &httputil.ReverseProxy{Transport: transport.Clone()})
	pooled := benchBare(b, to, &httputil.ReverseProxy{Transport: transport.Clone(), BufferPool: newBuffers()})
	cookie := benchLogin(b, quiet)
	ways := []*benchWay{
		{name: "bare", url: bare, cookie: cookie}, // it passes the cookies on, and has as much to read
		{name: "pooled", url: pooled, cookie: cookie},
		{name: "gateway", url: quiet.url, cookie: cookie},
		{name: "logged", url: logged.url, cookie: benchLogin(b, logged)},
	}
	for _, way := range ways {
		way.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
		b.Cleanup(way.client.CloseIdleConnections)
	}
	return ways
}

// benchBare serves a proxy that passes everything on, and gives its URL.
func benchBare(b *testing.B, to *url.URL, proxy *httputil.ReverseProxy) string {
	proxy.Rewrite = func(pr *httputil.ProxyRequest) {
		pr.SetURL(to)
		pr.SetXForwarded()
		pr.Out.Host = pr.In.Host
	}
	proxy.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server := httptest.NewServer(proxy)
	b.Cleanup(server.Close)
	return server.URL
}

// benchLogin logs in and gives the cookies.
func benchLogin(b *testing.B, w *world) string {
	v := w.visitor("test0001")
	require.Equal(b, http.StatusOK, v.get("/private/").StatusCode)
	return v.cookieHeader()
}

// get is one request as a browser sends it.
func (way *benchWay) get(buffer []byte) error {
	r, err := http.NewRequest(http.MethodGet, way.url+"/private/page?a=b", nil)
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		"Cookie": way.cookie, "Accept": "text/html,application/xhtml+xml", "Accept-Language": "en", "Accept-Encoding": "gzip, br",
		"User-Agent": "Mozilla/5.0", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none",
	} {
		r.Header.Set(name, value)
	}
	resp, err := way.client.Transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, buffer)
	if err == nil && (resp.StatusCode != http.StatusOK || n != 1024) {
		return &url.Error{Op: "Get", URL: way.url, Err: http.ErrBodyNotAllowed}
	}
	return err
}

// BenchmarkProxy is a request over loopback connections to a backend that answers with a
// kilobyte, each way by itself.
func BenchmarkProxy(b *testing.B) {
	for _, way := range benchWays(b) {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				buffer := make([]byte, 32<<10)
				for pb.Next() {
					if err := way.get(buffer); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkShare compares the ways in short turns in random order, so that what else the
// machine does hits all alike. A share is how much of the bare proxy's throughput is
// left: of the median turns by the clock, and by the processor time that client, proxy
// and backend took together. Run it with -benchtime 50x or more.
func BenchmarkShare(b *testing.B) {
	ways := benchWays(b)
	for _, way := range ways {
		way.turn(b) // to warm up
		way.cpu, way.wall = nil, nil
	}
	bare := ways[0]
	for b.Loop() {
		rand.Shuffle(len(ways), func(i, j int) { ways[i], ways[j] = ways[j], ways[i] })
		for _, way := range ways {
			way.turn(b)
		}
	}
	for _, way := range ways {
		if way == bare {
			continue
		}
		b.ReportMetric(median(bare.cpu)/median(way.cpu), way.name+"-cpu-share")
		b.ReportMetric(median(bare.wall)/median(way.wall), way.name+"-share")
	}
}

// turn sends some hundred requests from four clients: enough for the garbage of each way
// to be collected in its own turn.
func (way *benchWay) turn(b *testing.B) {
	cpu, wall := cpuTime(b), time.Now()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			buffer := make([]byte, 32<<10)
			for range 100 {
				if err := way.get(buffer); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	way.cpu = append(way.cpu, cpuTime(b)-cpu)
	way.wall = append(way.wall, time.Since(wall))
}

func median(turns []time.Duration) float64 {
	slices.Sort(turns)
	return float64(turns[len(turns)/2]+turns[(len(turns)-1)/2]) / 2
}

// cpuTime is what this process has used of all processors.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkOwn is what the gateway adds to a bare proxy, without a network: the backend
// is a transport that answers at once.
func BenchmarkOwn(b *testing.B) {
	w := newWorld(b, kit{rules: []Rule{{Path: "/private"}}})
	cookie := benchLogin(b, w)
	g := w.gateway
	g.core.Load().proxy.Transport = instant{}
	bare := &httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.SetURL(&url.URL{Scheme: "http", Host: "backend"})
			pr.SetXForwarded()
		},
		Transport: instant{}, BufferPool: newBuffers(),
	}
	for name, handler := range map[string]http.Handler{"bare": bare, "gateway": g.Handler()} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, "/private/page?a=b", nil)
			r.Host, r.RemoteAddr = w.host, "127.0.0.1:1"
			r.Header.Set("Cookie", cookie)
			r.Header.Set("Accept", "text/html")
			b.ReportAllocs()
			for b.Loop() {
				out := &nowhere{h: http.Header{}}
				handler.ServeHTTP(out, r.Clone(r.Context()))
				if out.status != http.StatusOK {
					b.Fatal(out.status)
				}
			}
		})
	}
}

type instant struct{}

func (instant) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}}, Body: http.NoBody, Request: r}, nil
}

type nowhere struct {
	h      http.Header
	status int
}

func (n *nowhere) Header() http.Header         { return n.h }
func (n *nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n *nowhere) WriteHeader(status int)      { n.status = status }
