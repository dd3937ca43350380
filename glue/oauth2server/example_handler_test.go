package oauth2server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
)

func ExampleServer_Handler() {
	server, clean := exampleServer()
	defer clean()
	mux := http.NewServeMux()
	mux.Handle("/oauth/", server.Handler())

	// An application that nobody registered.
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}, "client_id": {"nobody"}}
	r := httptest.NewRequest(http.MethodPost, "https://soc.example/oauth/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
	fmt.Print(w.Body)
	// Output:
	// 401 Basic realm="https://soc.example"
	// {"error":"invalid_client","error_description":"client authentication failed"}
}

func ExampleServer_Metadata() {
	server, clean := exampleServer()
	defer clean()
	mux := http.NewServeMux()
	mux.Handle(server.MetadataPath(), server.Metadata())

	r := httptest.NewRequest(http.MethodGet, "https://soc.example/.well-known/oauth-authorization-server", http.NoBody)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		fmt.Println(err)
	}
	fmt.Println(m["issuer"], m["token_endpoint"], m["code_challenge_methods_supported"])
	// Output:
	// https://soc.example https://soc.example/oauth/token [S256]
}

func ExampleServer_MetadataPath() {
	server, clean := exampleServer()
	defer clean()
	fmt.Println(server.MetadataPath())
	// Output:
	// /.well-known/oauth-authorization-server
}
