package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
	"github.com/redis/go-redis/v9"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// machineVariable is the variable of the environment that makes this program one of the
// site's machines, and tells it which.
const machineVariable = "SOAK_MACHINE"

// machineSpec is what a machine is told.
type machineSpec struct {
	Addr, BaseURL, WLS, Secret string
	Redis                      redisAddr
	Postgres                   string // DSN; empty for no API
	Apart                      bool   // see fleetOptions
}

// redisAddr says where Redis is: by URL or, for Sentinel and a Cluster, by addresses.
type redisAddr struct {
	URL    string
	Addrs  []string
	Master string // what the Sentinels call it; empty for a Cluster
}

// Headers between a machine and the harness.
const (
	senderHeader  = "Soak-Sender"  // who sends a response once more; absent the first time
	verdictHeader = "Soak-Verdict" // what came of a response
)

// Verdicts on a response.
const (
	accepted = "accepted"
	used     = "used"
	lost     = "lost"    // made before the time since which Redis remembers everything
	refused  = "refused" // for another reason, which has nothing to do with its being used
	failed   = "failed"  // the site could not tell
)

// runMachine is the program as one of the site's machines. It says what happens on its
// standard output, and ends with its standard input: with the harness, however that ends.
func runMachine(spec string) int {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if err := serveMachine(ctx, spec); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serveMachine(ctx context.Context, text string) error {
	var spec machineSpec
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		return err
	}
	listeners, err := demo.Listen(&spec.Addr)
	if err != nil {
		return err
	}
	defer demo.Close(listeners)
	store, err := redisstore.New(spec.Redis.config())
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // the process ends
	c := siteConfig{baseURL: spec.BaseURL, secret: spec.Secret, now: time.Now, onEvent: tell, store: store}
	if spec.Apart {
		c.store = nil
	}
	fake, err := webauthtest.NewWLS(webauthtest.Config{BaseURL: spec.WLS}) // for what a site must know of it
	if err != nil {
		return err
	}
	c.service = fake.Service()
	if spec.Postgres != "" {
		if c.db, err = sql.Open("pgx", spec.Postgres); err != nil {
			return err
		}
		defer func() { _ = c.db.Close() }() // the process ends
		c.db.SetMaxOpenConns(8)
		c.db.SetMaxIdleConns(8)
	}
	h, err := newSite(ctx, c)
	if err != nil {
		return err
	}
	fmt.Println(machineReady)
	return demo.Serve(ctx, listeners, judged(h))
}

// machineReady is the line that a machine prints once it serves.
const machineReady = "ready"

func (a redisAddr) config() redisstore.Config {
	c := redisstore.Config{Site: "soak", URL: a.URL, Timeout: 10 * time.Second} // the computer is meant to be busy
	if a.URL == "" {
		c.Redis = &redis.UniversalOptions{Addrs: a.Addrs, MasterName: a.Master, IsClusterMode: a.Master == ""}
	}
	return c
}

// story is what happened in a request that carried a response.
type story struct {
	key     string // names the response
	again   bool   // it is sent once more by the harness
	verdict string // by the last event
}

type storyKey struct{}

// tell prints an event: its name, its reason, and the response that it is about. A pipe
// keeps what was written when the machine is killed.
func tell(ctx context.Context, e site.Event) {
	s, _ := ctx.Value(storyKey{}).(*story)
	if s == nil {
		s = &story{}
	} else if v := verdictOf(e); v != "" {
		s.verdict = v
	}
	if !s.again || e.Name == glue.EventLogin {
		fmt.Printf("%s\t%s\t%s\n", e.Name, e.Reason, s.key)
	}
}

// verdictOf returns what an event says of the response of its request; "" if nothing.
func verdictOf(e site.Event) string {
	switch e.Name {
	case glue.EventStoreError:
		return failed
	case glue.EventRepeated:
		return used
	case glue.EventRefused:
		switch webauth.Reason(e.Reason) {
		case webauth.ReasonForgotten:
			return lost
		case webauth.ReasonReplay, webauth.ReasonToken:
			return used
		}
		return refused
	case glue.EventConfirm, glue.EventLoop, glue.EventForbidden, glue.EventSilent:
		return refused
	}
	return ""
}

// judged adds to each answer to a response what came of it. What no event says was
// refused was accepted.
func judged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if key := responseKey(r); key != "" {
			s := &story{key: key, again: r.Header.Get(senderHeader) != ""}
			r = r.WithContext(context.WithValue(r.Context(), storyKey{}, s))
			w = &judge{ResponseWriter: w, story: s}
		}
		next.ServeHTTP(w, r)
	})
}

// judge writes the verdict in front of the answer.
type judge struct {
	http.ResponseWriter
	story *story
	done  bool
}

func (j *judge) WriteHeader(status int) {
	if !j.done {
		j.done = true
		v := j.story.verdict
		switch {
		case v != "":
		case status >= http.StatusInternalServerError:
			v = failed
		default:
			v = accepted
		}
		j.Header().Set(verdictHeader, v)
	}
	j.ResponseWriter.WriteHeader(status)
}

func (j *judge) Write(b []byte) (int, error) {
	if !j.done {
		j.WriteHeader(http.StatusOK)
	}
	return j.ResponseWriter.Write(b)
}

func (j *judge) Unwrap() http.ResponseWriter { return j.ResponseWriter }

// responseKey names the response that a request carries; "" if it carries none.
func responseKey(r *http.Request) string {
	value, found, err := webauth.ResponseFrom(r.URL.RawQuery)
	if !found || err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:8])
}
