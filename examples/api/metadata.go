package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// metadata is what the site tells programs of its authorization server (RFC 8414).
type metadata struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Revocation    string `json:"revocation_endpoint"`
	Introspection string `json:"introspection_endpoint"`
}

// readMetadata asks a site.
func readMetadata(ctx context.Context, client *http.Client, site string) (m metadata, err error) {
	text, err := get(ctx, client, site+"/.well-known/oauth-authorization-server")
	if err == nil {
		err = json.Unmarshal([]byte(text), &m)
	}
	if err == nil && m.Issuer != site { // RFC 8414 section 3.3
		err = errors.New("the metadata are of another server")
	}
	return m, err
}
