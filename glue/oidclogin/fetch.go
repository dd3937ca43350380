package oidclogin

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxAnswer bounds what is read of the provider, in bytes.
const maxAnswer = 1 << 20

var (
	errNotFetched = errors.New("it was not fetched yet")
	errRedirect   = errors.New("it answers with a redirect, which is not followed")
)

// http returns the client for all requests to the provider.
func (p *Provider) http() *http.Client {
	p.prepare.Do(func() {
		transport := p.Transport
		if transport == nil {
			transport = &http.Transport{
				Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
				ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10,
				MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute,
			}
		}
		p.client = &http.Client{
			Transport: transport, Timeout: fetchLimit,
			// A redirect would carry the code, the verifier and the secret along.
			CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
		}
	})
	return p.client
}

// do sends a request and returns the answer with its body, of which there is no more to read.
func (p *Provider) do(r *http.Request) (*http.Response, []byte, error) {
	r.Header.Set("Accept", "application/json")
	resp, err := p.http().Do(r)
	if err != nil {
		return nil, nil, fmt.Errorf("%s cannot be asked: %w", r.URL.Redacted(), plainCause(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%s: reading its answer: %w", r.URL.Redacted(), err)
	case len(body) > maxAnswer:
		return nil, nil, fmt.Errorf("%s: its answer is larger than %d MiB", r.URL.Redacted(), maxAnswer>>20)
	}
	return resp, body, nil
}

// plainCause is err without the method and the URL that net/http puts in front of it.
func plainCause(err error) error {
	if cause := errors.Unwrap(err); cause != nil {
		return cause
	}
	return err
}

// getJSON fetches a document.
func (p *Provider) getJSON(ctx context.Context, url string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, body, err := p.do(r)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: it answers with status %d", url, resp.StatusCode)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s: it is not the JSON that it should be", url)
	}
	return nil
}
