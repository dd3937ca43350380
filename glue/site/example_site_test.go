package site_test

import (
	"fmt"
	"html/template"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

func ExampleSite_Handler() {
	s, err := site.New(site.Config{
		BaseURL: "https://soc.example",
		Proxies: site.Proxies{
			Ranges: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, // nginx on this machine
			Header: site.XForwarded,
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := s.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("client:", site.ClientIP(r))
		fmt.Println("scheme:", site.Scheme(r))
		fmt.Println("link:", site.URL(r, "/news/7"))
		fmt.Println("left for others to believe:", r.Header)
	}))

	r := httptest.NewRequest("GET", "/", nil)
	r.Host = "soc.example"
	r.RemoteAddr = "127.0.0.1:4711"
	r.Header.Set("X-Forwarded-For", "198.51.100.66, 203.0.113.5") // what the client made up, what nginx saw
	r.Header.Set("X-Forwarded-Proto", "https")
	r.Header.Set("X-Real-Ip", "198.51.100.66")
	handler.ServeHTTP(httptest.NewRecorder(), r)
	// Output:
	// client: 203.0.113.5
	// scheme: https
	// link: https://soc.example/news/7
	// left for others to believe: map[]
}

func ExampleNew() {
	_, err := site.New(site.Config{
		BaseURL: "https://soc.example",
		Hosts:   []string{"*.soc.example"},
		Proxies: site.Proxies{Count: 1},
	})
	fmt.Println(err)
	// Output:
	// site: Config.Hosts: "*.soc.example": name the hosts; for all below a domain put a dot in front, as .soc.example
	// site: Config.Proxies.Header is missing: say whether the proxies write site.XForwarded or site.Forwarded
}

func ExampleRedirect() {
	s, err := site.New(site.Config{
		BaseURL:  "https://soc.example",
		Hosts:    []string{"www.soc.example"},
		Redirect: site.RedirectCanonical,
		Logger:   slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, url := range []string{"http://www.soc.example/news?page=2", "http://evil.example/"} {
		w := httptest.NewRecorder()
		s.Handler(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", url, nil))
		fmt.Println(w.Code, w.Header().Get("Location"))
	}
	// Output:
	// 307 https://soc.example/news?page=2
	// 421
}

func ExampleSite_URL() {
	s, err := site.New(site.Config{BaseURL: "https://soc.example"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.URL(nil, "/reset?token=abc")) // for a mail, away from any request
	// Output: https://soc.example/reset?token=abc
}

func ExampleURL() {
	r := httptest.NewRequest("GET", "/", nil)
	fmt.Printf("%q\n", site.URL(r, "/news")) // no Site has seen this request
	// Output: ""
}

func ExampleClientIP() {
	r := httptest.NewRequest("GET", "/", nil) // no Site has seen this request
	r.RemoteAddr = "[::ffff:203.0.113.5]:4711"
	r.Header.Set("X-Forwarded-For", "198.51.100.66")
	fmt.Println(site.ClientIP(r), site.Scheme(r))
	// Output: 203.0.113.5 http
}

func ExampleNonce() {
	s, err := site.New(site.Config{
		BaseURL: "https://soc.example",
		Headers: site.Headers{CSP: "default-src 'self'; script-src {nonce}; object-src 'none'; base-uri 'none'"},
	})
	if err != nil {
		log.Fatal(err)
	}
	page := template.Must(template.New("").Parse(`<script nonce="{{.}}">start()</script>`))
	var nonce string
	handler := s.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nonce = site.Nonce(r.Context())
		if err := page.Execute(w, nonce); err != nil {
			log.Print(err)
		}
	}))

	r := httptest.NewRequest("GET", "/", nil)
	r.Host = "soc.example"
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(strings.ReplaceAll(w.Header().Get("Content-Security-Policy"), nonce, "NONCE"))
	fmt.Println(strings.ReplaceAll(w.Body.String(), nonce, "NONCE"))
	// Output:
	// default-src 'self'; script-src 'nonce-NONCE'; object-src 'none'; base-uri 'none'; frame-ancestors 'self'
	// <script nonce="NONCE">start()</script>
}

func ExampleSite_With() {
	s, err := site.New(site.Config{BaseURL: "https://soc.example"})
	if err != nil {
		log.Fatal(err)
	}
	page := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	widget := s.With(func(h *site.Headers) { h.FrameAncestors = "https://www.college.example" })
	mux := http.NewServeMux()
	mux.Handle("/", page)
	mux.Handle("/widget", widget.Handler(page))

	for _, path := range []string{"/", "/widget"} {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = "soc.example"
		w := httptest.NewRecorder()
		s.Handler(mux).ServeHTTP(w, r)
		fmt.Println(w.Header().Get("Content-Security-Policy"))
	}
	// Output:
	// base-uri 'self'; object-src 'none'; frame-ancestors 'self'
	// base-uri 'self'; object-src 'none'; frame-ancestors https://www.college.example
}

func ExampleRoute_Err() {
	s, err := site.New(site.Config{BaseURL: "https://soc.example", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.With(func(h *site.Headers) { h.CSP = "script-src self" }).Err())
	// Output: site: With: Headers.CSP: write 'self' with quotes: without them it is the name of a host
}

func ExampleCheck() {
	for _, f := range site.Check(site.Config{
		BaseURL:  "https://soc.example",
		Redirect: site.RedirectHTTPS,
		Proxies:  site.Proxies{Count: 1, Header: site.XForwarded},
		Headers:  site.Headers{CSP: "default-src 'self' 'unsafe-inline'"},
	}) {
		fmt.Println(f.Severity, f.Key)
	}
	// Output:
	// warning Proxies.Count
	// warning Headers.CSP
	// note Headers.HSTS
}

func ExampleSite_Findings() {
	s, err := site.New(site.Config{BaseURL: "http://localhost:8080"})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range s.Findings() {
		fmt.Println(f)
	}
	// Output: note: Headers.CSP: it does not say where scripts may come from: try script-src 'self' {nonce}, and site.Nonce in templates
}

func ExampleAddressPrefix() {
	fmt.Println(site.AddressPrefix(netip.MustParseAddr("203.0.113.5"), 24, 48))
	fmt.Println(site.AddressPrefix(netip.MustParseAddr("2001:db8:1:2::3"), 24, 48))
	// Output:
	// 203.0.113.0/24
	// 2001:db8:1::/48
}

// A program that listens at a unix socket, behind a front server on the same machine.
func ExampleProxies() {
	socket := "/run/soc/web.sock"
	_ = os.Remove(socket) // of a run that was killed
	listener, err := net.Listen("unix", socket)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.Chmod(socket, 0o660); err != nil { // for a group that the front server is in
		log.Fatal(err)
	}
	soc, err := site.New(site.Config{
		BaseURL:    "https://soc.example",
		SecretFile: "/var/lib/soc/secret",
		Proxies:    site.Proxies{UnixSocket: true, Header: site.XForwarded},
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, soc.Handler(http.DefaultServeMux)))
}
