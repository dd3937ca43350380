package enginetest

import (
	"bufio"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// OIDCProvider is a certified OpenID Connect provider: the npm package oidc-provider. It asks
// for PKCE and no consent, and lets in anybody, with the password "test": spqr1 has the sub
// "account-spqr1", the upn "spqr1@cam.ac.uk", the oid "oid-spqr1" and the amr ["pwd"]. All
// claims are in the ID token. Its methods are safe for concurrent use.
type OIDCProvider struct {
	// Issuer is its identifier, with which its URLs begin; the same after a Restart.
	Issuer string

	options OIDCOptions
	mu      sync.Mutex
	keys    json.RawMessage
	clients []OIDCClient
	cmd     *exec.Cmd // nil while it does not run
	orders  io.WriteCloser
	answers *bufio.Scanner
}

// OIDCOptions configure a provider.
type OIDCOptions struct {
	// Groups are the claim "groups" of people, by their names.
	Groups map[string][]string
}

// OIDCClient is a client of a provider.
type OIDCClient struct {
	ID string
	// Secret is for client_secret_basic; PublicKey, with its KeyID, is for private_key_jwt.
	Secret    string
	PublicKey *rsa.PublicKey
	KeyID     string
	// Redirect and LoggedOut are the redirect_uris and the post_logout_redirect_uris.
	Redirect, LoggedOut []string
	// BackChannelLogout is where logout tokens go, with a sid; empty for nowhere.
	BackChannelLogout string
}

// StrongACR is the acr of logins for which it was asked: their amr is ["pwd", "mfa"].
const StrongACR = "two-factors"

// StartOIDCProvider starts a provider without clients.
func StartOIDCProvider(options OIDCOptions) (*OIDCProvider, error) {
	p := &OIDCProvider{options: options}
	var err error
	for range 5 { // somebody else may take the port first
		var addr string
		if addr, err = FreeAddr(); err != nil {
			break
		}
		p.Issuer = "http://" + addr
		if err = p.run(); err == nil {
			return p, nil
		}
		p.Close()
		if errors.Is(err, ErrNotInstalled) {
			break
		}
	}
	return nil, err
}

// oidcDirectory is where the provider's program is, and what npm has installed for it.
func oidcDirectory() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "testdata", "oidc-provider")
}

// run starts the process as the issuer, with the keys and clients that it had, and waits
// until it listens.
func (p *OIDCProvider) run() error {
	u, err := url.Parse(p.Issuer)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return err
	}
	if err := installed("node", "nodejs"); err != nil {
		return err
	}
	dir := oidcDirectory()
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "oidc-provider")); err != nil {
		return fmt.Errorf("oidc-provider: %w: npm ci --ignore-scripts --prefix %s", ErrNotInstalled, dir)
	}
	// #nosec G204 -- a program of our own
	cmd := exec.Command("node", filepath.Join(dir, "provider.mjs"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C at a terminal is for the tests, which end it
	cmd.Stderr = os.Stderr
	orders, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.cmd, p.orders, p.answers = cmd, orders, bufio.NewScanner(out)
	p.answers.Buffer(nil, 1<<20)
	if err := p.order("start", map[string]any{"port": port, "keys": p.keys, "groups": p.options.Groups}, nil); err != nil {
		return err
	}
	for _, c := range p.clients {
		if err := p.order("client", c.metadata(), nil); err != nil {
			return err
		}
	}
	return nil
}

// order tells the process to do something, and waits until it has.
func (p *OIDCProvider) order(order string, with, result any) error {
	if p.cmd == nil {
		return errors.New("oidc-provider does not run")
	}
	if err := json.NewEncoder(p.orders).Encode(map[string]any{"order": order, "with": with}); err != nil {
		return p.dead(order)
	}
	if !p.answers.Scan() {
		return p.dead(order)
	}
	var answer struct {
		Result json.RawMessage
		Issuer string
		Keys   json.RawMessage
		Error  string
	}
	if err := json.Unmarshal(p.answers.Bytes(), &answer); err != nil {
		return err
	}
	if answer.Error != "" {
		return fmt.Errorf("oidc-provider: %s: %s", order, answer.Error)
	}
	p.Issuer, p.keys = answer.Issuer, answer.Keys
	if result != nil {
		return json.Unmarshal(answer.Result, result)
	}
	return nil
}

// dead ends a process that answers no more, and returns what it said.
func (p *OIDCProvider) dead(order string) error {
	p.kill()
	return fmt.Errorf("oidc-provider: %s: it ended, and says why on standard error", order)
}

// metadata is the client as OpenID Connect Dynamic Client Registration 1.0 describes it.
func (c OIDCClient) metadata() map[string]any {
	m := map[string]any{
		"client_id": c.ID, "redirect_uris": c.Redirect, "post_logout_redirect_uris": append([]string{}, c.LoggedOut...),
		"response_types": []string{"code"}, "grant_types": []string{"authorization_code"},
	}
	if c.PublicKey == nil {
		m["client_secret"] = c.Secret
	} else {
		m["token_endpoint_auth_method"], m["token_endpoint_auth_signing_alg"] = "private_key_jwt", "RS256"
		encode := base64.RawURLEncoding.EncodeToString
		m["jwks"] = map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": c.KeyID,
			"n": encode(c.PublicKey.N.Bytes()), "e": encode(big.NewInt(int64(c.PublicKey.E)).Bytes()),
		}}}
	}
	if c.BackChannelLogout != "" {
		m["backchannel_logout_uri"], m["backchannel_logout_session_required"] = c.BackChannelLogout, true
	}
	return m
}

// Register makes a client known, or changes it.
func (p *OIDCProvider) Register(c OIDCClient) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.order("client", c.metadata(), nil); err != nil {
		return err
	}
	p.clients = append(slices.DeleteFunc(p.clients, func(other OIDCClient) bool { return other.ID == c.ID }), c)
	return nil
}

// Rotate makes a new key that signs from now on. The old ones are still among its keys if
// keep is true.
func (p *OIDCProvider) Rotate(keep bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.order("rotate", map[string]bool{"keep": keep}, nil)
}

// Ahead moves the provider's clock so far ahead of this machine's.
func (p *OIDCProvider) Ahead(d time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.order("clock", map[string]int64{"seconds": int64(d / time.Second)}, nil)
}

// Requests returns the requests since the last call, each as its method and path.
func (p *OIDCProvider) Requests() ([]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var requests []string
	err := p.order("requests", nil, &requests)
	return requests, err
}

// Kill ends the process at once, as a crash does (kill -9).
func (p *OIDCProvider) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kill()
}

func (p *OIDCProvider) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill() // it may have ended by itself
		_ = p.cmd.Wait()         // killed, as a rule
		p.cmd = nil
	}
}

// Restart kills the process, if it runs, and starts a new one at the same address with the
// same keys and clients. It has forgotten who is logged in, and its clock is right.
func (p *OIDCProvider) Restart() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kill()
	return p.run()
}

// Close kills the process.
func (p *OIDCProvider) Close() { p.Kill() }
