package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/listen"
)

// Alive asks the program that serves c on this machine whether it does, as probes do, at the first
// address of c that it can ask at. Addresses of sockets that systemd has passed are not known.
func (c *Config) Alive(ctx context.Context) error {
	l := c.Listening(false)
	for _, kind := range []string{socketHTTP, socketRedirect, socketHTTPS} { // TLS is work, so that is the last
		for _, at := range l.addresses("") {
			if at.kind == kind {
				return askAlive(ctx, at)
			}
		}
	}
	return errors.New("the configuration has no address to ask at: set listen.https, listen.redirect, listen.http or listen.unix")
}

func askAlive(ctx context.Context, at address) error {
	network, where := "tcp", at.address
	if path, ok := strings.CutPrefix(where, listen.Unix); ok {
		network, where = "unix", path
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		// An address without a host, or with 0.0.0.0, is this machine.
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, where)
		},
		// Whose certificate it is makes no difference: nothing is told, and 204 is all that is believed.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}
	scheme := "http"
	if at.kind == socketHTTPS {
		scheme = "https"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://localhost"+alivePath, nil)
	if err != nil {
		return err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("nothing answers at %s (%s): %v", at.address, at.key, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("what answers at %s (%s) is another program: it says %s", at.address, at.key, resp.Status)
	}
	return nil
}
