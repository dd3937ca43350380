package glue_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// press presses the button of a page that keeps a form, whatever its address.
func (b *browser) press(page answer) answer {
	b.site.t.Helper()
	page.requirePage(http.StatusUnauthorized, "form-kept")
	action, hidden := page.form()
	require.Len(b.site.t, hidden, 1)
	return b.post(action, hidden)
}

// mayEdit is a policy's Allow that looks at the request as sites do.
func mayEdit(r *http.Request, _ glue.Identity) bool {
	switch {
	case r.URL.Query().Has("never"), r.URL.Path == "/club/closed", r.Header.Get("Content-Type") == formTypeOf("latin1"):
		return false
	case r.Method == http.MethodPost && r.FormValue("club") != "mine":
		return false
	}
	return true
}

func formTypeOf(charset string) string { return urlType + "; charset=" + charset }

// What Allow says of a form does not depend on whether it was kept in between.
func TestAllowJudgesTheFormSentOrKept(t *testing.T) { eachKind(t, testAllowJudgesTheFormSentOrKept) }

func testAllowJudgesTheFormSentOrKept(t *testing.T, kind kind) {
	for _, tt := range []struct {
		name, path, kind, body string
		allowed                bool
	}{
		{"its own club", "/club/x?a=1", urlType, "club=mine&a=%41", true},
		{"another club", "/club/x?a=1", urlType, "club=theirs", false},
		{"no club", "/club/x", urlType, "a=b", false},
		{"nothing at all", "/club/x", urlType, "", false},
		{"the first of two clubs", "/club/x", urlType, "club=theirs&club=mine", false},
		{"a club in the address of another's form", "/club/x?club=mine", urlType, "club=theirs", false},
		{"a club in the address alone", "/club/x?club=mine", urlType, "a=b", true},
		{"a form named like a kept one", "/club/x", urlType, "a=1&wls-kept=x&club=theirs", false},
		{"an address that is closed", "/club/closed", urlType, "club=mine", false},
		{"a query that is refused", "/club/x?never", urlType, "club=mine", false},
		{"a type that is refused", "/club/x", formTypeOf("latin1"), "club=mine", false},
		{"another type", "/club/x", formTypeOf("utf-8"), "club=mine", true},
		{"a long form", "/club/x", urlType, "club=mine&x=" + strings.Repeat("y", 60<<10), true},
	} {
		for _, how := range []string{"sent", "kept by an ended session", "kept for a fresh password", "kept inside"} {
			t.Run(tt.name+", "+how, func(t *testing.T) {
				s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
					fresh := func(p *glue.Policy) { p.Fresh = 5 * time.Minute }
					club := auth.With(func(p *glue.Policy) {
						p.Allow = mayEdit
						if how == "kept for a fresh password" {
							fresh(p)
						}
					})
					h := http.Handler(echo)
					if how == "kept inside" {
						h = auth.With(fresh).Require(echo)
					}
					mux.Handle("/club/", club.Require(h))
				}})
				b := s.loggedIn("test0001")
				switch how {
				case "kept by an ended session":
					s.advance(3 * time.Hour)
				case "sent":
				default:
					s.advance(6 * time.Minute)
				}
				a := b.send(tt.path, tt.kind, tt.body)
				judgedFirst := how != "kept by an ended session" // nobody is told what an ended session may not do
				if how != "sent" && (tt.allowed || !judgedFirst) {
					b.get(a.requirePage(http.StatusUnauthorized, "form-kept").links()[0])
					first := b.press(a)
					if !tt.allowed {
						first.requirePage(http.StatusForbidden, "forbidden")
						assert.NotContains(t, s.eventNames(), glue.EventFormResumed)
					}
					a = first
				}
				if !tt.allowed {
					a.requirePage(http.StatusForbidden, "forbidden")
					assert.EqualValues(t, "allow", s.lastEvent(glue.EventForbidden).Reason)
					return
				}
				e := a.requireEcho("test0001")
				assert.Equal(t, tt.body, e.Body, "what Allow has read is there again")
				assert.Equal(t, tt.path, e.RequestURI)
				assert.Equal(t, tt.kind, e.Type)
				assert.EqualValues(t, len(tt.body), e.Length)
				want, err := url.ParseQuery(tt.body)
				require.NoError(t, err)
				assert.Equal(t, "mine", e.Form.Get("club"))
				for name := range want {
					assert.Equal(t, want[name], e.Form[name][:len(want[name])])
				}
			})
		}
	}
}

// Allow is not asked about another person's form, which is nobody else's business.
func TestAllowIsNotShownAnothersForm(t *testing.T) { eachKind(t, testAllowIsNotShownAnothersForm) }

func testAllowIsNotShownAnothersForm(t *testing.T, kind kind) {
	var asked []string
	s := startSite(t, setup{kind: kind, config: func(c *config) {
		c.Policy.Allow = func(r *http.Request, id glue.Identity) bool {
			asked = append(asked, id.Principal+" "+r.FormValue("a"))
			return true
		}
	}})
	b, page := kept(s)
	b.get(s.respond(b.begin("/private/"), "test0002")).requireEcho("test0002")
	asked = nil
	b.continues(page).requirePage(http.StatusForbidden, "not-yours")
	assert.Empty(t, asked)
}

// Whoever is refused still has the form: it can be sent once the refusal is mended.
func TestRefusedKeptFormIsNotUsedUp(t *testing.T) { eachKind(t, testRefusedKeptFormIsNotUsedUp) }

func testRefusedKeptFormIsNotUsedUp(t *testing.T, kind kind) {
	allowed := false
	s := startSite(t, setup{kind: kind, config: func(c *config) {
		c.Policy.Allow = func(r *http.Request, _ glue.Identity) bool { return allowed || r.Method == http.MethodGet }
	}})
	b, page := kept(s)
	b.get("/private/").requireEcho("test0001")
	b.continues(page).requirePage(http.StatusForbidden, "forbidden")
	b.continues(page).requirePage(http.StatusForbidden, "forbidden")
	allowed = true
	assertSent(s, b.continues(page).requireEcho("test0001"))
	b.continues(page).requirePage(http.StatusForbidden, "form-gone")
}

// Of a form that is continued many times at once one is served.
func TestKeptFormIsServedOnce(t *testing.T) { eachKind(t, testKeptFormIsServedOnce) }

func testKeptFormIsServedOnce(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b, page := kept(s)
	b.get("/private/").requireEcho("test0001")
	action, hidden := page.form()
	const clicks = 8
	kinds := make(chan string, clicks)
	for range clicks {
		go func() {
			a, err := b.try(http.MethodPost, action, strings.NewReader(hidden.Encode()), formType)
			if err != nil {
				kinds <- err.Error()
				return
			}
			kinds <- a.kind()
		}()
	}
	got := map[string]int{}
	for range clicks {
		got[<-kinds]++
	}
	assert.Equal(t, map[string]int{"": 1, "form-gone": clicks - 1}, got)
}

// A browser that leaves, as one does at the second click, does not undo the mark.
func TestKeptFormOfABrowserThatLeaves(t *testing.T) { eachKind(t, testKeptFormOfABrowserThatLeaves) }

func testKeptFormOfABrowserThatLeaves(t *testing.T, kind kind) {
	served := 0
	s := startSite(t, setup{kind: kind,
		config: func(c *config) { c.OneUse = heedfulOnce{webauth.NewMemoryOneUse(0, c.Now)} },
		routes: func(mux *http.ServeMux, auth *glue.Auth) {
			mux.Handle("/note", auth.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ })))
		},
		wrap: func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Leaves") != "" {
					ctx, cancel := context.WithCancel(r.Context())
					cancel()
					r = r.WithContext(ctx)
				}
				h.ServeHTTP(w, r)
			})
		},
	})
	b := s.loggedIn("test0001")
	s.advance(3 * time.Hour)
	page := b.send("/note", urlType, "a=b").requirePage(http.StatusUnauthorized, "form-kept")
	b.get(page.links()[0]).requirePage(http.StatusOK, "go-back")
	action, hidden := page.form()
	b.send(action, urlType, hidden.Encode(), "Leaves", "1")
	assert.Equal(t, 1, served, "the one whose browser has left is served, and no other")
	b.press(page).requirePage(http.StatusForbidden, "form-gone")
	assert.Equal(t, 1, served)
}

// heedfulOnce is a OneUse whose answer is lost once the browser has left, as over a
// network.
type heedfulOnce struct{ webauth.OneUse }

func (o heedfulOnce) Once(ctx context.Context, item webauth.Item) error {
	if err := o.OneUse.Once(ctx, item); err != nil {
		return err
	}
	return ctx.Err()
}

// What a form says in its header must be that of the form and not of the button's
// request: proxies and applications read it.
func TestKeptFormThroughAProxy(t *testing.T) { eachKind(t, testKeptFormThroughAProxy) }

func testKeptFormThroughAProxy(t *testing.T, kind kind) {
	back := webauthtest.Site(t, func(string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Got-Length", r.Header.Get("Content-Length"))
			_, _ = w.Write(body)
		})
	})
	target, err := url.Parse(back.URL)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	var seen http.Header
	var length int64
	var coding []string
	s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		mux.Handle("/app/", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen, length, coding = r.Header.Clone(), r.ContentLength, r.TransferEncoding
			proxy.ServeHTTP(w, r)
		})))
	}})
	for _, tt := range []struct {
		name string
		edit func(r *http.Request)
	}{
		{"as a browser sends it", func(*http.Request) {}},
		{"in chunks", func(r *http.Request) { r.ContentLength, r.Body = -1, io.NopCloser(struct{ io.Reader }{r.Body}) }},
		{"with headers of its own body", func(r *http.Request) {
			r.Header.Set("Content-Language", "x")
			r.Header.Set("Content-Encoding", "identity")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.in(t)
			b := s.loggedIn("test0001")
			s.advance(3 * time.Hour)
			page := b.send("/app/form", urlType, formBody).requirePage(http.StatusUnauthorized, "form-kept")
			b.get("/private/").requireEcho("test0001")
			action, hidden := page.form()
			a := b.do(http.MethodPost, action, strings.NewReader(hidden.Encode()), func(r *http.Request) {
				formType(r)
				tt.edit(r)
			})
			require.Equal(t, http.StatusOK, a.StatusCode)
			assert.Equal(t, formBody, a.Body)
			assert.EqualValues(t, len(formBody), length)
			assert.Empty(t, coding)
			assert.Equal(t, []string{urlType}, seen["Content-Type"])
			for name := range seen {
				assert.False(t, strings.HasPrefix(name, "Content-") && name != "Content-Type", name)
			}
		})
	}
}

// A form that somebody in front of the login has read is kept all the same, or said not
// to be; it is never kept in part.
func TestKeptFormThatWasReadBefore(t *testing.T) { eachKind(t, testKeptFormThatWasReadBefore) }

func testKeptFormThatWasReadBefore(t *testing.T, kind kind) {
	for _, tt := range []struct {
		name string
		read func(r *http.Request)
		kept string
	}{
		{"not at all", func(*http.Request) {}, formBody},
		{"as a form", func(r *http.Request) { _ = r.ParseForm() }, "=y&a=%C3%A9+x&a=&b=2&empty=&n=1%0D%0A2"},
		{"in part", func(r *http.Request) { _, _ = r.Body.Read(make([]byte, 3)) }, ""},
		{"whole", func(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, setup{kind: kind, wrap: func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.RequestURI, formPath) {
						tt.read(r)
					}
					h.ServeHTTP(w, r)
				})
			}})
			b := s.loggedIn("test0001")
			s.advance(3 * time.Hour)
			page := b.send(formPath, urlType, formBody)
			if tt.kept == "" {
				page.requirePage(http.StatusUnauthorized, "login-again")
				assert.Contains(t, page.Body, "did not arrive whole")
				return
			}
			b.get("/private/").requireEcho("test0001")
			assert.Equal(t, tt.kept, b.continues(page).requireEcho("test0001").Body)
		})
	}
}

// What is known of a kept form is for those who judge it.
func TestKeptFormFrom(t *testing.T) { eachKind(t, testKeptFormFrom) }

func testKeptFormFrom(t *testing.T, kind kind) {
	var got glue.KeptForm
	var resumed bool
	s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		mux.Handle("/note", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got, resumed = glue.KeptFormFrom(r.Context())
			echo.ServeHTTP(w, r)
		})))
	}})
	b := s.loggedIn("test0001")
	session := b.send("/note", urlType, "a=b").requireEcho("test0001").Identity.SessionID
	assert.False(t, resumed)
	s.advance(3 * time.Hour)
	at := s.fake.Now()
	page := b.send("/note", urlType, "a=b").requirePage(http.StatusUnauthorized, "form-kept")
	s.advance(30 * time.Minute)
	b.get(page.links()[0]).requirePage(http.StatusOK, "go-back")
	now := b.press(page).requireEcho("test0001").Identity.SessionID
	assert.NotEqual(t, session, now)
	assert.True(t, resumed)
	assert.Equal(t, glue.KeptForm{Principal: "test0001", SessionID: session, At: at, Ended: true, Used: []string{}}, got)
	_, resumed = glue.KeptFormFrom(context.Background())
	assert.False(t, resumed)
}
