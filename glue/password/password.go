package password

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/expiring"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Config is everything that can be set. Site and Check are required.
type Config struct {
	// Site is the site that people log in to.
	Site *site.Site
	// Check reports whether a name and a password are right; an error means that it cannot
	// be said just now. It must compare in constant time and work as long for a name that
	// does not exist, or the names can be found out. Names are 1 to 255 printable ASCII
	// characters without blanks and commas, passwords 1 to 1024 bytes. The answer must
	// depend on the name and the password alone: those who ask the same at once get one
	// answer, and it is remembered.
	Check func(ctx context.Context, name, password string) (bool, error)
	// Limits bound how often wrong passwords are tried.
	Limits Limits
	// AtOnce bounds how many checks are under way, for those that take all of a processor
	// (bcrypt); people whose password was right lately, at the same network, have one slot
	// more. Zero is no bound.
	AtOnce int
	// Remember is how long a pair of name and password that was right is not asked about
	// again; zero means 1 minute. Forms are asked about always.
	Remember time.Duration
	// NoAddress reports whether the only address known of a request's client is a front
	// server's own: tries then count for no network. Nil means that this never is so.
	NoAddress func(r *http.Request) bool
}

// Service is what [glue.Identity] says of people who logged in with a password.
const Service = "password"

// ErrCrowded says that too many passwords are being checked at this moment.
var ErrCrowded = errors.New("password: too many passwords are being checked at this moment")

// crowdedWait is when to come back then.
const crowdedWait = 5 * time.Second

const (
	defaultRemember = time.Minute
	maxRemembered   = 1000
	maxPassword     = 1 << 10
)

// checkFunc is what Config.Check is.
type checkFunc = func(ctx context.Context, name, password string) (bool, error)

// Checker checks names and passwords. It is made by [New], and safe for concurrent use.
type Checker struct {
	*shared
	check   checkFunc
	scope   string        // what a password that is wrong is wrong for
	right   *expiring.Set // pairs of name and password
	flights flights
}

// shared is what a Checker has in common with those that [Checker.With] makes of it.
type shared struct {
	site     *site.Site
	remember time.Duration
	limits   *limits
	slots    *slots

	noAddress []func(*http.Request) bool
	mu        sync.RWMutex // guards noAddress
	told      atomic.Bool  // the operators know of clients without an address
}

// New returns a Checker for cfg, or an error with everything that is wrong.
func New(cfg Config) (*Checker, error) {
	var found site.Findings
	if cfg.Site == nil {
		found.Errorf("Site", "is missing: make it with site.New")
	}
	if cfg.Check == nil {
		found.Errorf("Check", "is missing: nothing says which passwords are right")
	}
	if cfg.AtOnce < 0 {
		found.Errorf("AtOnce", "is %d, want at least 0", cfg.AtOnce)
	}
	if cfg.Remember < 0 {
		found.Errorf("Remember", "is %v, want at least 0", cfg.Remember)
	}
	if cfg.Remember == 0 {
		cfg.Remember = defaultRemember
	}
	cfg.Limits.normalise(&found)
	if err := found.Err("password: Config."); err != nil {
		return nil, err
	}
	s := &shared{
		site: cfg.Site, remember: cfg.Remember,
		limits: newLimits(cfg.Limits, cfg.Site.Now), slots: newSlots(cfg.AtOnce),
	}
	c := &Checker{shared: s}
	if cfg.NoAddress != nil {
		c.Behind(cfg.NoAddress)
	}
	return c.With("", cfg.Check), nil
}

// With returns a Checker for other names and passwords of the same people, such as those of
// another file: it shares limits and slots with c, but remembers itself what was right. A
// password that was wrong is known as wrong for the same scope only.
func (c *Checker) With(scope string, check func(ctx context.Context, name, password string) (bool, error)) *Checker {
	return &Checker{
		shared: c.shared, check: check, scope: scope,
		right:   expiring.New(c.remember, maxRemembered, c.site.Now),
		flights: flights{under: map[expiring.MAC]*flight{}},
	}
}

// Behind sets a further test beside [Config.NoAddress]. It is for package remoteuser, which
// knows the front servers.
func (c *Checker) Behind(noAddress func(r *http.Request) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noAddress = append(c.noAddress, noAddress)
}

// Verdict is the result of checking a name and a password. The zero Verdict says that they are
// wrong.
type Verdict struct {
	Right bool
	// Wait is how long until a password is looked at again; this one was not.
	Wait time.Duration
	// Err says why it could not be looked at: an error of Config.Check, of the request's
	// context, or ErrCrowded, with which there is a Wait.
	Err error
}

// Verify checks a name and a password, or says why it did not: limits come first, then what is
// remembered as right, then one check for all requests that bring the same at once, when it is
// its turn. Where no tries are left, the answer does not depend on the password, not even on
// one that is remembered.
func (c *Checker) Verify(r *http.Request, name, password string) Verdict {
	if !possible(name, password) {
		return Verdict{}
	}
	t := c.newTry(r, name, password)
	if c.limits.wait(&t) == 0 && c.right.Has(name, password) {
		c.limits.welcome(&t)
		return Verdict{Right: true}
	}
	// The limits come after it is known who asks the same: a page with many images is one
	// try, the last one too.
	guess := c.right.Sum(t.network, name, password)
	return c.flights.do(r.Context(), guess, func() Verdict { return c.look(r.Context(), &t, c.remembered) })
}

// verifyAnew is Verify without memory and without others, for forms: who changed a
// password learns from a login that the old one is of no use.
func (c *Checker) verifyAnew(r *http.Request, name, password string) Verdict {
	if !possible(name, password) {
		return Verdict{}
	}
	t := c.newTry(r, name, password)
	return c.look(r.Context(), &t, c.check)
}

// possible reports whether anybody may have a name and a password: else there is nothing to
// guess, and no try to count.
func possible(name, password string) bool {
	return ValidName(name) && password != "" && len(password) <= maxPassword
}

// ValidName reports whether s is 1 to 255 printable ASCII characters without a blank or a
// comma: with one, a server on the way may have made one header of two (RFC 9110 section
// 5.3).
func ValidName(s string) bool { return webauth.IsPtag(s) }

// look has a try looked at, if there is one left, when it is its turn. The try counts
// meanwhile, so that many at once are no way around the limits, and also where check panics.
func (c *Checker) look(ctx context.Context, t *try, check checkFunc) Verdict {
	c.limits.recall(t)
	if wait := c.limits.wait(t); wait > 0 {
		return Verdict{Wait: wait} // and takes no slot
	}
	done, err := c.slots.take(ctx, t.familiar)
	switch {
	case errors.Is(err, ErrCrowded):
		return Verdict{Wait: crowdedWait, Err: err}
	case err != nil:
		return Verdict{Err: err}
	}
	defer done()
	if wait := c.limits.take(t); wait > 0 {
		return Verdict{Wait: wait}
	}
	right, err := check(ctx, t.name, t.password)
	switch {
	case err != nil:
		c.limits.giveBack(t)
		return Verdict{Err: err}
	case right:
		c.limits.right(t)
	default:
		c.limits.wrong(t)
	}
	return Verdict{Right: right}
}

// remembered is Config.Check, but for what it said was right a short while ago.
func (c *Checker) remembered(ctx context.Context, name, password string) (bool, error) {
	if c.right.Has(name, password) {
		return true, nil
	}
	right, err := c.check(ctx, name, password)
	if right && err == nil {
		c.right.Add(name, password)
	}
	return right, err
}

var errNoAddress = errors.New("the client's address is not known: tries of passwords are limited per name only; put site.Handler around, with Proxies")

// newTry returns a try of the client that sends a request. The address of a front server is
// none: all its clients have it in common, and one of them could lock out all the others.
func (c *Checker) newTry(r *http.Request, name, password string) try {
	t := try{name: name, password: password, scope: c.scope}
	if !c.fromFront(r) {
		t.client = site.ClientIP(r)
		t.network = networkOf(t.client)
	} else if c.told.CompareAndSwap(false, true) {
		c.site.Report(r, event(EventNoAddress, "", errNoAddress))
	}
	t.familiar = c.limits.isFamiliar(&t)
	return t
}

func (c *Checker) fromFront(r *http.Request) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.ContainsFunc(c.noAddress, func(noAddress func(*http.Request) bool) bool { return noAddress(r) })
}
