package oauth2server

import (
	"errors"
	"net/url"
	"slices"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
)

// Bounds of what clients send.
const (
	maxQuery  = 8 << 10  // bytes, of the query of an authorization request
	maxBody   = 64 << 10 // bytes, of a form
	maxParams = 50
)

// params are the parameters of a request to one of the endpoints.
type params struct {
	values   map[string]string
	repeated []string
}

// parseParams reads a query, or the body of a form, of at most so many bytes. A
// parameter without a value counts as left out, and none may be there twice (RFC 6749
// section 3.1): which of the two would another reader have believed?
func parseParams(raw string, most int) (params, error) {
	if len(raw) > most {
		return params{}, errors.New("the parameters are too long")
	}
	parsed, err := url.ParseQuery(raw)
	switch {
	case err != nil:
		return params{}, errors.New("the parameters are malformed")
	case len(parsed) > maxParams:
		return params{}, errors.New("there are too many parameters")
	}
	p := params{values: make(map[string]string, len(parsed))}
	for name, values := range parsed {
		if len(values) > 1 {
			p.repeated = append(p.repeated, name)
			continue
		}
		p.values[name] = values[0]
	}
	slices.Sort(p.repeated)
	return p, nil
}

// get returns a parameter; "" if it is left out, without a value, or repeated.
func (p params) get(name string) string { return p.values[name] }

// readScopes reads the scope parameter, which must name something, and nothing but what
// may be given.
func readScopes(p params, may []string) ([]string, *protocolError) {
	scopes, err := scopelist.Parse(p.get("scope"))
	switch {
	case err != nil || len(scopes) == 0:
		return nil, errScopeMissing
	case !scopelist.Covers(may, scopes):
		return nil, errScopeUnknown
	}
	return scopes, nil
}
