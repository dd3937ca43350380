package gateway

import (
	"slices"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
)

// The ways of Identity.Send.
const (
	sendRemoteUser     = "remote-user"
	sendXForwardedUser = "x-forwarded-user"
	sendXAA            = "x-aa"
)

// Words of a configuration file.
const (
	hostKeep    = "keep"
	hostBackend = "backend"
)

// setDefaults replaces zero values by what they mean, and paths by absolute ones. It
// changes nothing that the caller's Config shares.
func (c *Config) setDefaults() {
	common := c.common()
	common.SetDefaults()
	c.setCommon(common)
	c.Rules = slices.Clone(c.Rules)
	if c.Identity.Send == nil {
		c.Identity.Send = []string{sendRemoteUser}
	}
	c.Identity.Send = slices.Clone(c.Identity.Send)
	for i := range c.Identity.Send {
		serve.SmallLetters(&c.Identity.Send[i])
	}
	c.Limits.setDefaults()
	for i := range c.Rules {
		r := &c.Rules[i]
		serve.SetDefault(&r.Access, Login)
		serve.SmallLetters(&r.Host, (*string)(&r.Access), &r.IAct, &r.BackendHost)
		if c.Rules[i].To != "" {
			serve.SetDefault(&c.Rules[i].BackendHost, hostKeep)
		}
	}
	c.setPaths(common)
}

func (l *Limits) setDefaults() {
	serve.SetDefault(&l.HeaderBytes, 64<<10)
	serve.SetDefault(&l.HeaderTimeout, Duration(10*time.Second))
	serve.SetDefault(&l.BodyRate, 500) // a bad line has some hundreds of times that
	serve.SetDefault(&l.BodyGrace, Duration(20*time.Second))
	serve.SetDefault(&l.IdleTimeout, Duration(2*time.Minute))
	serve.SetDefault(&l.StopTimeout, Duration(30*time.Second))
	serve.SetDefault(&l.DialTimeout, Duration(5*time.Second))
	serve.SetDefault(&l.ResponseTimeout, Duration(60*time.Second))
	serve.SetDefault(&l.IdleConnections, 64)
	serve.SetDefault(&l.BackendIdleTimeout, Duration(1500*time.Millisecond)) // gunicorn has 2 s, Node, Apache and uvicorn have 5 s
}

// setPaths makes the paths of files begin at the configuration file's directory.
func (c *Config) setPaths(common *serve.Config) {
	login := c.login()
	login.Normalise(common)
	c.WLS, c.Login, c.KeyDir, c.OIDC = login.WLS, login.Login, login.KeyDir, login.OIDC
	c.Identity.HMACKeyFile = common.SecretPath(c.Identity.HMACKeyFile)
	for i := range c.Rules {
		r := &c.Rules[i]
		r.To = common.SocketPath(r.To)
		for _, p := range []*string{&r.GroupFile, &r.Htpasswd, &r.BackendCA} {
			*p = c.file.Path(*p)
		}
		for _, p := range []*string{&r.BackendCert, &r.BackendKey} {
			*p = common.SecretPath(*p)
		}
	}
}

// hosts lists the hosts of BaseURL and Origins, with their ports unless those are the
// default ones.
func (c *Config) hosts() []string {
	return c.common().Hosts()
}
