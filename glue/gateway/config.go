package gateway

import (
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/login"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Config is everything that a gateway can be told: the configuration file, or the same
// from a Go program. BaseURL, WLS or OIDC (or Service), SecretFile and one rule are required;
// every other field's zero value is the safe default.
//
// Paths of files are relative to the configuration file's directory, or to the working
// directory in a program that fills Config in itself. Of SecretFile, RedisURLFile, HMACKeyFile,
// what OIDC names and certificates, a relative one that is there below $CREDENTIALS_DIRECTORY is that file:
// a credential that systemd has loaded for the unit (LoadCredential=). Who may be able to read
// them, and keys of certificates, is as in [site.ReadSecretFile]: what others can read is
// refused, or used with a warning in the log where something keeps them from it.
type Config struct {
	// BaseURL is where browsers see the site: "https://soc.example", without a path.
	// http is for loopback hosts.
	BaseURL string `toml:"base-url,omitempty"`
	// SiteName is what people know the site as, such as "Quiz Society": the gateway's pages say
	// so. It is one line of at most 60 characters; the default is the host of BaseURL.
	SiteName string `toml:"site-name,omitempty"`
	// Origins are further origins of the same site. Each has sessions of its own;
	// requests for any other host get 421.
	Origins []string `toml:"origins,omitempty"`

	// OIDC is an OpenID Connect provider where people log in. The path /.wls/login of BaseURL, and
	// of each of Origins, must be registered there as a redirect URI.
	OIDC OIDC `toml:"oidc,omitempty"`
	// Login says where new logins are made if both OIDC and WLS are there, as while a site moves
	// from one to the other: "oidc" (the default), "wls", or "choose", where people choose.
	// Sessions of the other are honoured until they end.
	Login string `toml:"login,omitempty"`
	// WLS is where people log in: "raven", "raven-demo", "nevar", "goose" or "custom".
	WLS string `toml:"wls,omitempty"`
	// KeyDir has the pubkeyN files of nevar, goose or a custom service; it is read again
	// as they change.
	KeyDir string `toml:"key-dir,omitempty"`
	// CustomWLS describes the service that WLS = "custom" stands for.
	CustomWLS CustomWLS `toml:"custom-wls,omitempty"`

	// SecretFile holds the site's secret; it is made on first use, but not on reload. Its first
	// line seals what is new, and all of them open what is old: to rotate it, add a line below
	// and reload on every machine, then move it to the top, and remove the old one when
	// sessions of it have ended.
	SecretFile string `toml:"secret-file,omitempty"`
	// RedisURL keeps sessions and what was used once in Redis, for several gateways of
	// one site: "redis://user:password@host:port/database", "rediss://..." for TLS, or
	// "unix:///path/of/socket". Write what is no letter or digit in the password as %XX.
	// Empty means sealed cookies and this process's memory. After a
	// reload that changes it, what this gateway let in just before cannot be used again;
	// of what the others did, the new place knows nothing: where there are several, stop
	// them for as long as a response of the login service is good (Session.MaxAge and
	// Session.Skew).
	RedisURL string `toml:"redis-url,omitempty"`
	// RedisURLFile is a file that holds RedisURL, and its password, in the place of that; it
	// is read again on reload.
	RedisURLFile string `toml:"redis-url-file,omitempty"`
	// PageTemplate is a file with a template for the gateway's pages, in the language of Go's
	// html/template, to show them in the site's own dress; empty means the built-in ones.
	PageTemplate string `toml:"page-template,omitempty"`

	// Listen says where the gateway listens. With nothing set, and no socket from systemd,
	// that is https at ":443" and redirects at ":80", or the host and port of an http
	// BaseURL. An empty list is none of a kind.
	Listen Listen `toml:"listen,omitempty"`
	// Front are front servers whose word about a request is believed.
	Front Front `toml:"front,omitempty"`
	// Session says how long a login lasts.
	Session Session `toml:"session,omitempty"`
	// Identity says how the backend learns who it is. Whatever is chosen here, every header
	// that any of these ways uses is removed from what clients send.
	Identity Identity `toml:"identity,omitempty"`
	// Headers are security headers that the gateway adds where the backend does not set
	// them; an empty key adds none.
	Headers Headers `toml:"headers,omitempty"`
	// Limits bound what clients and backends may cost. Zero means the default, a negative
	// duration no limit.
	Limits Limits `toml:"limits,omitempty"`
	// Log says what is logged and where.
	Log Log `toml:"log,omitempty"`
	// Admin is the endpoint for operators: health and metrics.
	Admin Admin `toml:"admin,omitempty"`

	// ForwardAuth serves /.wls/auth and /.wls/auth-or-login for front servers that ask
	// the gateway about each request and pass it on themselves. They must be named in
	// Front. Rules then need no [Rule.To].
	ForwardAuth bool `toml:"forward-auth,omitempty"`
	// IgnoreCase compares paths with rules without regard to letter case, for backends
	// that do. As these are mostly on Windows, a colon in a path, where NTFS ends the name
	// of a file, is refused if it could make a difference to the rules.
	IgnoreCase bool `toml:"ignore-case,omitempty"`

	// Rules say who may have what; there is at least one. The longest path that fits wins, one with a host
	// before one without; what no rule fits needs a login, and has no backend.
	Rules []Rule `toml:"rule,omitempty"`

	// Service replaces WLS and OIDC, for a program that makes its own.
	Service webauth.LoginService `toml:"-"`
	// Logger gets what operators need to know; nil means slog.Default().
	Logger *slog.Logger `toml:"-"`
	// Now is the clock; nil means time.Now.
	Now func() time.Time `toml:"-"`

	file *config.File // that it was read from, by Load; nil for none
}

// Parts of a configuration that say where and how a site is served.
type (
	// Listen says where the gateway listens.
	Listen = serve.Listen
	// Certificate names two PEM files: the chain, its own certificate first, and the key.
	Certificate = serve.Certificate
	// Front are front servers whose word about a request is believed; see site.Proxies.
	Front = serve.Front
	// Session says how long a login lasts; see glue.Session.
	Session = serve.Session
	// Log says what is logged and where.
	Log = serve.Log
	// Admin is the endpoint for operators: health and metrics.
	Admin = serve.Admin
	// CustomWLS is a service of one's own; see webauth.Service.
	CustomWLS = login.CustomWLS
	// OIDC is an OpenID Connect provider; see oidclogin.Provider.
	OIDC = login.OIDC
	// Duration is a time.Duration, written such as "90s" or "2h30m" in a file.
	Duration = serve.Duration
)

// common returns what programs share of a configuration.
func (c *Config) common() *serve.Config {
	return &serve.Config{
		BaseURL: c.BaseURL, SiteName: c.SiteName, Origins: c.Origins,
		SecretFile: c.SecretFile, RedisURL: c.RedisURL, RedisURLFile: c.RedisURLFile, PageTemplate: c.PageTemplate,
		Listen: c.Listen, Front: c.Front, Session: c.Session, Log: c.Log, Admin: c.Admin,
		Program: title, Logger: c.Logger, Now: c.Now, File: c.file,
	}
}

// login returns what says where people log in.
func (c *Config) login() *login.Config {
	return &login.Config{OIDC: c.OIDC, Login: c.Login, WLS: c.WLS, KeyDir: c.KeyDir, CustomWLS: c.CustomWLS, Service: c.Service}
}

// setCommon puts what common has returned back, defaults and all.
func (c *Config) setCommon(s *serve.Config) {
	c.BaseURL, c.Origins = s.BaseURL, s.Origins
	c.SecretFile, c.RedisURL, c.RedisURLFile, c.PageTemplate = s.SecretFile, s.RedisURL, s.RedisURLFile, s.PageTemplate
	c.Listen, c.Front, c.Session, c.Log, c.Admin = s.Listen, s.Front, s.Session, s.Log, s.Admin
	c.Logger, c.Now = s.Logger, s.Now
}

// Identity says how the backend learns who it is; see [Config.Identity].
type Identity struct {
	// Send lists the headers: "remote-user" (Remote-User, the default), "x-forwarded-user"
	// (X-Forwarded-User) and "x-aa" (X-AAPrincipal and the other headers of
	// mod_ucam_webauth). An empty list sends none. People of rules with access = "basic"
	// are named by the first two, as in the .htpasswd file, and never by X-AA headers.
	Send []string `toml:"send"`
	// Principal, Ptags and Groups are names of further headers, for backends that read
	// others: "X-WEBAUTH-USER" for Grafana and Gitea, "Remote-Groups" for what is made for
	// Authelia. Principal has the bare name, as the first two of Send do. Ptags has the
	// login's ptags, and Groups those groups of the rule's GroupFile, in alphabetical order,
	// that the person is in; both with commas in between, and no header where there is none.
	// No name will do that means something else, and clients cannot send it in any spelling.
	Principal string `toml:"principal,omitempty"`
	Ptags     string `toml:"ptags,omitempty"`
	Groups    string `toml:"groups,omitempty"`
	// Strip are further names that clients must not send, such as "X-Legacy-User".
	Strip []string `toml:"strip,omitempty"`
	// HMACKeyFile holds the key for the form of the X-AA headers that AAHeaderKey asks
	// for in mod_ucam_webauth; without it their values are plain. It is read as there for
	// "file:": the first 64 bytes, a newline at the end included, and NUL as '@'.
	HMACKeyFile string `toml:"hmac-key-file,omitempty"`
}

// Headers are security headers that the gateway adds where the backend does not set
// them; an empty field adds none.
type Headers struct {
	// HSTS has browsers use https only, and remember that for so long
	// (Strict-Transport-Security). Nothing takes it back from one that does not visit again:
	// begin with a short time.
	HSTS Duration `toml:"hsts,omitempty"`
	// HSTSSubDomains has it count for every name below the host's as well.
	HSTSSubDomains bool `toml:"hsts-include-subdomains,omitempty"`
	// CSP is the Content-Security-Policy, without frame-ancestors.
	CSP string `toml:"content-security-policy,omitempty"`
	// FrameAncestors are the pages that may show this one in a frame, as in a
	// Content-Security-Policy: "'self'", "'none'", or origins. X-Frame-Options says the same
	// to old browsers, where it can.
	FrameAncestors string `toml:"frame-ancestors,omitempty"`
	// ReferrerPolicy is the Referrer-Policy, such as "same-origin".
	ReferrerPolicy string `toml:"referrer-policy,omitempty"`
	// PermissionsPolicy is the Permissions-Policy, such as "camera=(), microphone=()".
	PermissionsPolicy string `toml:"permissions-policy,omitempty"`
}

// Limits bound what clients and backends may cost; see [Config.Limits].
type Limits struct {
	// HeaderBytes is the size of the largest request header, in bytes; default 64 KiB.
	HeaderBytes int `toml:"header-bytes,omitempty"`
	// BodyBytes is the size of the largest request body, in bytes; default no limit.
	BodyBytes int64 `toml:"body-bytes,omitempty"`
	// HeaderTimeout is the time to read a request's header; default 10s.
	HeaderTimeout Duration `toml:"header-timeout,omitempty"`
	// BodyTimeout is the time to read a whole request; default no limit, for uploads.
	BodyTimeout Duration `toml:"body-timeout,omitempty"`
	// BodyRate is how many bytes a second a body must have on average, with pauses of a minute
	// at most; default 500, and a negative number is no limit. BodyGrace is what a body may
	// take on top of that; default 20s.
	BodyRate  int64    `toml:"body-rate,omitempty"`
	BodyGrace Duration `toml:"body-grace,omitempty"`
	// WriteTimeout is the time to write a whole answer; default no limit, for downloads.
	WriteTimeout Duration `toml:"write-timeout,omitempty"`
	// IdleTimeout is the time between requests on one connection; default 2m.
	IdleTimeout Duration `toml:"idle-timeout,omitempty"`
	// StopTimeout is the time that requests have to end when the gateway stops; default 30s.
	StopTimeout Duration `toml:"stop-timeout,omitempty"`

	// DialTimeout is the time to reach a backend; default 5s.
	DialTimeout Duration `toml:"dial-timeout,omitempty"`
	// ResponseTimeout is the time until a backend begins to answer; default 60s.
	ResponseTimeout Duration `toml:"response-timeout,omitempty"`
	// Connections is how many there may be to one backend at once, and how many requests where
	// they share one (HTTP/2); default no limit.
	Connections int `toml:"connections,omitempty"`
	// IdleConnections is how many are kept open to one backend; default 64.
	IdleConnections int `toml:"idle-connections,omitempty"`
	// BackendIdleTimeout is how long a connection to a backend is kept that nothing uses;
	// default 1.5s. It must be shorter than the backend keeps one (gunicorn 2s; Node, Apache
	// and uvicorn 5s): a POST that meets the backend's closing cannot be sent again by
	// anybody who does not know what became of it, and people get 502.
	BackendIdleTimeout Duration `toml:"backend-idle-timeout,omitempty"`
}

// Access says what a rule asks for.
type Access string

// The kinds of access.
const (
	// Public lets everybody through, without a look at who it is.
	Public Access = "public"
	// Optional lets everybody through, and tells the backend who is logged in.
	Optional Access = "optional"
	// Login lets people through who are logged in and satisfy the rule.
	Login Access = "login"
	// LoginOrBearer is Login for requests without a bearer token in Authorization. A request
	// with one, whatever it is, goes on to the backend without an identity, even beside a
	// session: the backend must judge the token, and refuse what it would not let anybody have.
	LoginOrBearer Access = "login-or-bearer"
	// Basic asks for a name and a password of an .htpasswd file. Browsers send these to
	// other paths of the host too, so Authorization headers with names and passwords
	// reach no backend of a host that has such a rule, whatever the rule for the path: what
	// checks passwords of its own needs a host of its own. Where a front server passes
	// requests on itself (Config.ForwardAuth), removing them is up to that.
	Basic Access = "basic"
)

// Rule says who may have what is below a path, and where it comes from.
type Rule struct {
	// Host limits the rule to one host of BaseURL or Origins, such as "wiki.soc.example";
	// empty for all.
	Host string `toml:"host,omitempty"`
	// Path is where the rule begins: "/api" is for /api and all below it, not for /apix or
	// /api.json. If the backend finds the same page under such names too (with a suffix,
	// by a short name such as PRIVAT~1, in letters of another width, or with invisible ones
	// in between), give the stricter rule a shorter path, or "/". See also
	// Config.IgnoreCase.
	Path string `toml:"path,omitempty"`
	// Access is public, optional, login, login-or-bearer or basic; default login.
	Access Access `toml:"access,omitempty"`
	// To is the backend: "http://127.0.0.1:8000", "https://app.internal",
	// "h2c://127.0.0.1:50051", or "unix:/run/app.sock". By https, HTTP/2 is spoken with
	// backends that offer it; h2c is HTTP/2 without TLS. WebSockets are HTTP/1.1 in any case.
	// Empty means that of the rule that would be next, and to speak to it as that rule does:
	// all that begins with "backend-", StripPath with that rule's Path, and
	// ResponseTimeout unless this rule has one.
	To string `toml:"to,omitempty"`

	// Principals and Groups, with names as the login service writes them, let these people in and the members of these groups; with
	// neither, everybody. They are for login and, as names in the .htpasswd file, for
	// basic.
	Principals []string `toml:"principals,omitempty"`
	Groups     []string `toml:"groups,omitempty"`
	// GroupFile has lines such as "editors: spqr1 spqr2"; it is read again on reload. It may
	// be there without Groups to tell the backend of a person's groups: see Identity.
	GroupFile string `toml:"group-file,omitempty"`
	// Ptags are those of which people must have one; without it that is "current" where the
	// login service has ptags. AnyPtags drops this condition: former members come in too.
	Ptags    []string `toml:"ptags,omitempty"`
	AnyPtags bool     `toml:"any-ptags,omitempty"`
	// IAct "yes" wants a session that began with a typed password, however long ago; "no" one
	// that began without. Empty is either.
	IAct string `toml:"iact,omitempty"`
	// AAuth are the authentication types to accept; the default is "pwd".
	AAuth []string `toml:"aauth,omitempty"`
	// Fresh wants a password typed no longer ago than this, at least 1m. It is as strong as the
	// login service's word that it was typed.
	Fresh Duration `toml:"fresh,omitempty"`
	// Desc is what the login service says is asking, and Msg why.
	Desc string `toml:"desc,omitempty"`
	Msg  string `toml:"msg,omitempty"`
	// AllowFrom lets clients in these ranges through without a login, as Optional does.
	AllowFrom []netip.Prefix `toml:"allow-from,omitempty"`
	// Htpasswd is the file for basic, with bcrypt lines; it is read again on reload.
	Htpasswd string `toml:"htpasswd,omitempty"`

	// CrossOrigin lets pages of these origins, or of all ("cross-origin = true"), send
	// requests in a person's name: for backends with protection of their own, or none to
	// need. CORS preflights of theirs reach the backend without a login and with no
	// identity, as browsers send no cookies with them; the backend answers them, and says
	// with Access-Control-Allow-Origin and -Credentials who may read what it answers. The
	// session's cookie comes along from pages of the same site (https://app.soc.example for
	// https://api.soc.example) only, because it is SameSite=Lax.
	CrossOrigin CrossOrigin `toml:"cross-origin,omitempty"`
	// BackendHost is the Host header for the backend: "keep" (the default) or "backend".
	// With the latter, what the backend says of itself by that host, in the headers that
	// StripPath tells of and in the Domain attribute of cookies, is corrected for browsers.
	BackendHost string `toml:"backend-host,omitempty"`
	// BackendCA is a PEM file of certificates to trust an https backend by; empty means
	// the system's.
	BackendCA string `toml:"backend-ca,omitempty"`
	// BackendCert and BackendKey are PEM files with the certificate, and the key of it, that
	// the gateway shows to an https backend that asks for one. Like BackendCA they are read
	// again on reload.
	BackendCert string `toml:"backend-cert,omitempty"`
	BackendKey  string `toml:"backend-key,omitempty"`
	// BackendServerName is the name that the certificate of an https backend must have, and
	// by which it is asked for; empty means that in To.
	BackendServerName string `toml:"backend-server-name,omitempty"`
	// BackendIdleTimeout replaces that of Limits.
	BackendIdleTimeout Duration `toml:"backend-idle-timeout,omitempty"`
	// OddPaths lets paths pass that programs read in different ways, as they were sent: with
	// encoded slashes (%2F), semicolons, or percent signs that are encoded twice (%2525), as
	// RabbitMQ, GitLab, npm and Tomcat have them. They pass where every reading of them leads
	// to this very rule, and are refused with 400 elsewhere; dot segments are refused in
	// whatever encoding. Destination and its like take no such paths.
	OddPaths bool `toml:"odd-paths,omitempty"`
	// StripPath removes Path from what the backend is asked for, and tells it so in
	// X-Forwarded-Prefix. What the backend says of its own paths without that, in Location,
	// Content-Location and Refresh and in the Path attribute of cookies, gets it: a redirect to "/login"
	// leads to Path and "/login". Only one to another host, or to the gateway's own pages,
	// leads out of Path.
	StripPath bool `toml:"strip-path,omitempty"`
	// PassHeaders are names of headers that the backend of this rule is to get although the
	// gateway removes them from requests: those by which some program takes path, method,
	// scheme, host or client for another ("X-HTTP-Method-Override"), under their very names,
	// and such as have other characters than letters, digits and hyphens ("X_Api_Key") and
	// mean something to the application alone. Clients write them: what is passed here is
	// judged by nobody, but for what another method does below the path. Headers that say where a message ends or who somebody is cannot be
	// passed, nor other spellings of any that the gateway knows.
	PassHeaders []string `toml:"pass-headers,omitempty"`
	// Scripts are names of path segments, such as "app" or "*.wsgi", that the backend may
	// route without, beside *.php, *.cgi, *.pl, *.py, *.fcgi and their kin: there
	// /index.php/admin is /admin. What follows one is refused where the path has another
	// rule without it, and so is a query that begins with a slash (/?/admin) where that path
	// has. An empty list switches this off, for a backend that does not do so.
	// Left out (nil), it is the list of the rule that would match without this one.
	Scripts []string `toml:"scripts"`
	// ResponseTimeout replaces that of Limits.
	ResponseTimeout Duration `toml:"response-timeout,omitempty"`
	// BodyRate replaces that of Limits for those whom the rule lets in; negative, for
	// backends to which clients stream over a long time, is no limit.
	BodyRate int64 `toml:"body-rate,omitempty"`
}

// ruleKey is the key of a field of Config.Rules[i]; files count from 1.
func ruleKey(i int, field string) string { return fmt.Sprintf("rule[%d].%s", i+1, field) }
