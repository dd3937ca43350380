package oauth2server

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// process is another server process of the site, on a port of its own.
type process struct {
	cmd *exec.Cmd
	url string
}

func startProcess(t testing.TB, db *dbtest.Database) *process {
	t.Helper()
	p := &process{cmd: db.Command("serve")}
	_, err := p.cmd.StdinPipe() // it ends when we do
	require.NoError(t, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(p.kill)
	address, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	p.url = "http://" + strings.TrimSpace(address)
	return p
}

// helpServe is such a process.
func helpServe(d *dbtest.Database) {
	exitOn(func() error {
		db, err := sql.Open(d.Driver, d.DSN)
		if err != nil {
			return err
		}
		cfg, err := configAt(db, d.PostgreSQL, webauth.Raven(), site.Config{BaseURL: "https://soc.example", Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		s, err := New(context.Background(), cfg)
		if err != nil {
			return err
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		fmt.Println(listener.Addr())
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
		return http.Serve(listener, s.Handler())
	}())
}

func exitOn(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be dead already
	_ = p.cmd.Wait()
}

// What a client learns from a request.
const (
	won     = "won"
	refused = "refused" // invalid_grant: it has been used
	lost    = "lost"    // no answer
)

// outcome says which of these it was, and else what happened.
func outcome(err error) string {
	var (
		said    *oauth2.RetrieveError
		network *url.Error
	)
	switch {
	case err == nil:
		return won
	case errors.As(err, &said) && said.ErrorCode == "invalid_grant":
		return refused
	case errors.As(err, &network), errors.Is(err, io.ErrUnexpectedEOF):
		return lost
	}
	return err.Error()
}

// customer is a confidential application, run by somebody else's client library.
type customer struct {
	*testServer
	client   store.Client
	secret   string
	verifier string
}

func newCustomer(t testing.TB, s *testServer) *customer {
	t.Helper()
	c := &customer{testServer: s, verifier: oauth2.GenerateVerifier()}
	var err error
	c.client, c.secret, err = s.store.CreateClient(t.Context(), store.Client{Owner: "spqr1", Name: "Reader", Confidential: true, RedirectURIs: []string{"https://app.example/cb"}})
	require.NoError(t, err)
	return c
}

// code is one that a person has just allowed it.
func (c *customer) code(t testing.TB) string {
	t.Helper()
	text, err := c.store.Authorise(t.Context(), store.Code{
		ClientID: c.client.ID, Principal: "spqr2", RedirectURI: "https://app.example/cb", Scopes: []string{"profile"},
		Challenge: oauth2.S256ChallengeFromVerifier(c.verifier),
	}, true)
	require.NoError(t, err)
	return text
}

func (c *customer) at(p *process) *oauth2.Config {
	return &oauth2.Config{
		ClientID: c.client.ID, ClientSecret: c.secret, RedirectURL: "https://app.example/cb",
		Endpoint: oauth2.Endpoint{TokenURL: p.url + "/oauth" + pathToken, AuthStyle: oauth2.AuthStyleInHeader},
	}
}

// redeem redeems a code at a process, refresh refreshes there.
func (c *customer) redeem(ctx context.Context, p *process, code string) (*oauth2.Token, error) {
	return c.at(p).Exchange(ctx, code, oauth2.VerifierOption(c.verifier))
}

func (c *customer) refresh(ctx context.Context, p *process, token string) (*oauth2.Token, error) {
	return c.at(p).TokenSource(ctx, &oauth2.Token{RefreshToken: token}).Token()
}

// uses are the two things that can be done once: how a client comes by what it does
// them with, and how it does them.
func (c *customer) uses() map[string]use {
	return map[string]use{
		"a code": {func(t testing.TB, _ *process) string { return c.code(t) }, c.redeem},
		"a refresh token": {func(t testing.TB, p *process) string {
			token, err := c.redeem(t.Context(), p, c.code(t))
			require.NoError(t, err)
			return token.RefreshToken
		}, c.refresh},
	}
}

type use struct {
	get func(t testing.TB, p *process) string
	do  func(ctx context.Context, p *process, text string) (*oauth2.Token, error)
}

// requireGoesOn wants a process to do all that it is for.
func (c *customer) requireGoesOn(t testing.TB, p *process) {
	t.Helper()
	token, err := c.redeem(t.Context(), p, c.code(t))
	require.NoError(t, err)
	_, err = c.refresh(t.Context(), p, token.RefreshToken)
	require.NoError(t, err)
}

// newServerNow makes a server with the clock that processes have.
func newServerNow(t testing.TB, db *dbtest.Database) *testServer {
	t.Helper()
	s, err := serverAt(t, db, webauth.Raven(), site.Config{BaseURL: "https://soc.example"}, func(c *Config) { c.CodeLife = 10 * time.Minute })
	require.NoError(t, err)
	return s
}

// One of two servers is killed in the middle of a transaction: after it has marked a
// code or a token as used and before it has given everything for it.
func TestAServerKilledMidFlightConsumesNothing(t *testing.T) {
	db := dbtest.PostgreSQL(t)
	c := newCustomer(t, newServerNow(t, db))
	db.Exec(t, `CREATE FUNCTION barrier() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$`)
	db.Exec(t, `CREATE TRIGGER barrier AFTER INSERT ON wlsoauth_tokens FOR EACH ROW EXECUTE FUNCTION barrier()`)
	survivor := startProcess(t, db)
	for name, use := range c.uses() {
		t.Run(name, func(t *testing.T) {
			text, doomed := use.get(t, survivor), startProcess(t, db)
			barrier, err := db.Open(t).Begin()
			require.NoError(t, err)
			_, err = barrier.Exec(`SELECT pg_advisory_xact_lock(42)`)
			require.NoError(t, err)
			results := make(chan string)
			try := func(p *process) {
				_, err := use.do(t.Context(), p, text)
				results <- outcome(err)
			}
			go try(doomed)
			dbtest.Eventually(t, func() bool { // it stands before the barrier
				return db.Number(t, `SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'`) == 1
			})
			doomed.kill()
			assert.Equal(t, lost, <-results)
			go try(survivor)
			require.NoError(t, barrier.Rollback())
			assert.Equal(t, won, <-results, "as if the other had never tried")
			c.requireGoesOn(t, survivor)
		})
	}
}

// A client uses each code and each refresh token at two servers at once, of which one is
// killed somewhere on its way.
func TestTwoServersShareADatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		const n, workers = 24, 4
		c := newCustomer(t, newServerNow(t, db))
		survivor := startProcess(t, db)
		for name, use := range c.uses() {
			doomed := startProcess(t, db)
			work := make(chan string, n)
			for range n {
				work <- use.get(t, survivor)
			}
			close(work)
			answered := make(chan struct{}, n)
			var all sync.WaitGroup
			for range workers {
				all.Go(func() {
					for text := range work {
						other := make(chan string)
						go func() {
							_, err := use.do(t.Context(), doomed, text)
							other <- outcome(err)
						}()
						_, err := use.do(t.Context(), survivor, text)
						mine, others := outcome(err), <-other
						assert.Contains(t, []string{won, refused}, mine, name)
						assert.Contains(t, []string{won, refused, lost}, others, name)
						assert.False(t, mine == won && others == won, "%s: two winners", name)
						answered <- struct{}{}
					}
				})
			}
			for range n / 3 {
				<-answered
			}
			doomed.kill()
			all.Wait()
			assert.Zero(t, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_codes WHERE used_at = 0`), name)
			assert.Zero(t, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_grants g
				WHERE (SELECT COUNT(*) FROM wlsoauth_tokens t WHERE t.grant_id = g.id)
					<> (SELECT 2 + COUNT(previous_hash) FROM wlsoauth_tokens t WHERE t.grant_id = g.id)`), "%s: half done", name)
			c.requireGoesOn(t, survivor)
		}
	})
}
