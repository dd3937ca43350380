package oidclogin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// wellKnown is where an issuer's configuration is (OpenID Connect Discovery 1.0, section 4).
const wellKnown = "/.well-known/openid-configuration"

// metadata is what a login needs of the provider's configuration. Algorithms are not taken from
// it: what signs is RS256.
type metadata struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Keys          string   `json:"jwks_uri"`
	EndSession    string   `json:"end_session_endpoint"`
	ResponseTypes []string `json:"response_types_supported"`
	SigningAlgs   []string `json:"id_token_signing_alg_values_supported"`
	TokenAuth     []string `json:"token_endpoint_auth_methods_supported"`
	// AnswersName says that every answer has the parameter iss (RFC 9207 section 3).
	AnswersName bool `json:"authorization_response_iss_parameter_supported"`
}

// discover returns the provider's configuration. Errors are each a [*webauth.Error].
func (p *Provider) discover(ctx context.Context, now func() time.Time) (*metadata, error) {
	m, err := p.metadata.get(ctx, now, nil, p.fetchMetadata)
	if err != nil {
		return nil, refusef(webauth.ReasonProvider, "the provider's configuration: %w", err)
	}
	return m, nil
}

func (p *Provider) fetchMetadata(ctx context.Context) (*metadata, error) {
	url := strings.TrimSuffix(p.Issuer, "/") + wellKnown
	m := &metadata{}
	if err := p.getJSON(ctx, url, m); err != nil {
		return nil, err
	}
	if err := m.check(p.Issuer); err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	return m, nil
}

func (m *metadata) check(issuer string) error {
	if m.Issuer != issuer {
		return fmt.Errorf("its issuer is %+.200q, and not Provider.Issuer", m.Issuer)
	}
	for name, endpoint := range map[string]string{
		"authorization_endpoint": m.Authorization, "token_endpoint": m.Token, "jwks_uri": m.Keys, "end_session_endpoint": m.EndSession,
	} {
		if endpoint == "" && name != "end_session_endpoint" {
			return fmt.Errorf("%s is missing", name)
		}
		if endpoint == "" {
			continue
		}
		if err := checkEndpoint(endpoint, strings.HasPrefix(issuer, "http:")); err != nil {
			return fmt.Errorf("%s %+.200q %w", name, endpoint, err)
		}
	}
	switch {
	case m.ResponseTypes != nil && !slices.Contains(m.ResponseTypes, "code"):
		return errors.New("it does not offer the authorization code flow (response_types_supported)")
	case m.SigningAlgs != nil && !slices.Contains(m.SigningAlgs, signingAlg):
		return fmt.Errorf("it does not sign by %s (id_token_signing_alg_values_supported)", signingAlg)
	}
	return nil
}
