package gateway_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/ucam-webauth/go-webauth/glue/gateway"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// A gateway in a program of its own: an application that knows nothing of logging in,
// and is told who it is.
func ExampleNew() {
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s for %q", r.URL.Path, r.Header.Get("Remote-User"))
	}))
	defer application.Close()
	dir, err := os.MkdirTemp("", "gateway")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	wls, err := webauthtest.NewWLS(webauthtest.Config{BaseURL: "http://127.0.0.1:8081"})
	if err != nil {
		panic(err)
	}
	defer wls.Close()
	service := wls.Service()

	server := httptest.NewUnstartedServer(nil)
	g, err := gateway.New(gateway.Config{
		BaseURL:    "http://" + server.Listener.Addr().String(),
		Service:    &service, // WLS: "raven", outside of examples
		SecretFile: filepath.Join(dir, "secret"),
		Log:        gateway.Log{Access: "off"},
		Logger:     slog.New(slog.DiscardHandler),
		Rules: []gateway.Rule{
			{Path: "/", Access: gateway.Login, To: application.URL},
			{Path: "/about", Access: gateway.Public},
		},
	})
	if err != nil {
		panic(err)
	}
	defer g.Close()
	server.Config.Handler = g.Handler()
	server.Start()
	defer server.Close()

	for _, path := range []string{"/about", "/staff/../members"} {
		r, _ := http.NewRequest(http.MethodGet, server.URL+path, nil)
		r.Header.Set("Remote-User", "mallory")
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			panic(err)
		}
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		fmt.Println(resp.StatusCode, string(text))
	}
	// Output:
	// 200 /about for ""
	// 401 Log in first: open this site in a browser.
}

// Reload takes another configuration without a request failing; a wrong one changes
// nothing.
func ExampleGateway_Reload() {
	dir, err := os.MkdirTemp("", "gateway")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	wls, err := webauthtest.NewWLS(webauthtest.Config{BaseURL: "http://127.0.0.1:8081"})
	if err != nil {
		panic(err)
	}
	defer wls.Close()
	service := wls.Service()
	cfg := gateway.Config{
		BaseURL: "http://localhost:8080", Service: &service, SecretFile: filepath.Join(dir, "secret"),
		Log: gateway.Log{Access: "off"}, Logger: slog.New(slog.DiscardHandler),
		Rules: []gateway.Rule{{Path: "/", To: "http://127.0.0.1:8000"}},
	}
	g, err := gateway.New(cfg)
	if err != nil {
		panic(err)
	}
	defer g.Close()
	cfg.Rules = []gateway.Rule{{Path: "/", To: "http://127.0.0.1:8001"}}
	fmt.Println(g.Reload(cfg))
	cfg.Rules = []gateway.Rule{{Path: "/", Access: "members", To: "http://127.0.0.1:8001"}}
	fmt.Println(g.Reload(cfg))
	// Output:
	// <nil>
	// rule[1].access: "members" is none of public, optional, login, login-or-bearer, basic
}
