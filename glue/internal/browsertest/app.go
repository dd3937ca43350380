package browsertest

import (
	"fmt"
	"html"
	"net/http"
)

// Worker is a service worker of a site.
type Worker struct{ Name, Script string }

// Workers are what service workers do with requests, each with what they get at many sites.
var Workers = []Worker{
	{"none", ""},
	{"passes on", `self.addEventListener("fetch", e => e.respondWith(fetch(e.request)))`},
	{"network first", `self.addEventListener("fetch", e => e.respondWith((async () => {
		try {
			const answer = await fetch(e.request)
			if (answer.ok && e.request.method === "GET") await (await caches.open("pages")).put(e.request, answer.clone())
			return answer
		} catch (failed) {
			return (await caches.match(e.request)) || Response.error()
		}
	})()))`},
	{"cache first", `self.addEventListener("install", e => e.waitUntil(caches.open("assets").then(c => c.add("/asset"))))
	self.addEventListener("fetch", e => e.respondWith(caches.match(e.request).then(hit => hit || fetch(e.request))))`},
	{"alters how", `self.addEventListener("fetch", e => e.respondWith(fetch(new Request(e.request, {cache: "no-store"}))))`},
	{"adds a header", `self.addEventListener("fetch", e => {
		const headers = new Headers(e.request.headers)
		headers.set("X-Worker", "1")
		e.respondWith(fetch(e.request, {headers}))
	})`},
	{"navigation preload", `self.addEventListener("activate", e => e.waitUntil(self.registration.navigationPreload.enable()))
	self.addEventListener("fetch", e => e.respondWith((async () => (await e.preloadResponse) || fetch(e.request))()))`},
}

const atOnce = `self.addEventListener("install", () => self.skipWaiting())
self.addEventListener("activate", e => e.waitUntil(self.clients.claim()))
`

// app is a site's application: /open for everybody, which starts the site's service worker,
// /sw.js; and /private/app/ for people who are logged in, with a form and a button that ends
// the session at logout. user tells who they are.
func (worker Worker) app(logout string, user func(r *http.Request) string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/sw.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, atOnce+worker.Script)
	})
	mux.HandleFunc("/asset", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "asset") })
	mux.HandleFunc("/open", func(w http.ResponseWriter, _ *http.Request) { page(w, "open", "") })
	mux.HandleFunc("/around", func(w http.ResponseWriter, _ *http.Request) {
		page(w, "around", `<iframe src="/private/app/framed"></iframe>`)
	})
	mux.HandleFunc("/private/app/", func(w http.ResponseWriter, r *http.Request) {
		page(w, "private", `<p id="user">`+html.EscapeString(user(r))+`</p><p id="sent">`+html.EscapeString(r.PostFormValue("note"))+`</p>
<form method="post" action="/private/app/form"><input name="note" value="a note"><button id="send">Send</button></form>
<form method="post" action="`+logout+`"><button id="logout">Log out</button></form>`)
	})
	return mux
}

func page(w http.ResponseWriter, kind, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!doctype html><title>%s</title><main data-page=%q>%s</main>", kind, kind, body)
}
