package browsertest

import (
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Foreign has another site send a form in a person's name, with each kind of service worker:
// while they are logged in, and after the session has ended, when the form may be kept and they
// log in again and press the button of that page. The form is never to act. Some workers make
// the browser say that their own origin sends it, and send all cookies.
func Foreign(t *testing.T, start Start) {
	Each(t, func(t *testing.T, tab *Tab) {
		for _, worker := range workers {
			t.Run(worker.name, func(t *testing.T) {
				s := start(t, application{worker: worker.script}.handler)
				evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "text/html")
					_, _ = io.WriteString(w, `<form method="post" action="`+html.EscapeString(s.URL)+`/private/app/form"><input name="note" value="evil"><button>Win</button></form>`)
				}))
				t.Cleanup(evil.Close)
				tab.in(t).isUsed(s, evil.URL, worker.script != "")
			})
		}
	})
}

func (b *Tab) isUsed(s Site, evil string, worker bool) {
	b.t.Helper()
	b.Open(s.URL + "/open")
	if worker {
		b.register()
	}
	b.Open(s.URL + "/private/app/")
	b.logIn()
	b.seesPrivate(s)
	b.isSent(evil)

	s.Expire()
	if b.isSent(evil) != "form-kept" {
		return
	}
	beside := b.NewTab()
	beside.Open(b.Value("document.querySelector('a[target=_blank]').href"))
	beside.logIn()
	beside.See("[data-page=go-back]")
	b.Leave(func() { b.Click("button") })
	assert.NotEqual(b.t, "private", b.page())
}

// isSent sends the form of another site's page, and returns the page that comes of it.
func (b *Tab) isSent(evil string) string {
	b.t.Helper()
	b.Open(evil)
	b.Leave(func() { b.Click("button") })
	page := b.page()
	assert.NotEqual(b.t, "private", page)
	return page
}

// page waits for a page of the site, or of the login service, and returns its kind.
func (b *Tab) page() string {
	b.t.Helper()
	return b.Until(`document.querySelector("[data-page]")?.dataset.page || (document.querySelector("#pwd") ? "login service" : document.readyState === "complete" ? document.body.textContent.trim() : "")`)
}
