package browsertest

import (
	"fmt"
	"html"
	"net/http"
)

// worker is a service worker of a site.
type worker struct{ name, script string }

// workers are what service workers do with requests, each with what they get at many sites.
var workers = []worker{
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

// application is what a site is about: /open for everybody, and /private/app/ for people who
// are logged in, with a form and a button to log out. /around has a frame with such a page, and
// parts that htmx fetches from there.
type application struct{ worker, htmx string } // what /sw.js and /htmx.js are

// handler serves the application. Sessions end at logout; user tells who somebody is.
func (a application) handler(logout string, user func(r *http.Request) string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/sw.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, atOnce+a.worker)
	})
	mux.HandleFunc("/asset", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "asset") })
	mux.HandleFunc("/open", func(w http.ResponseWriter, _ *http.Request) { page(w, "open", "") })
	mux.HandleFunc("/htmx.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, a.htmx)
	})
	mux.HandleFunc("/around", func(w http.ResponseWriter, _ *http.Request) {
		page(w, "around", `<script src="/htmx.js"></script><iframe src="/private/app/framed"></iframe>
<button id="part" hx-get="/private/app/part" hx-target="#here">Fetch</button><div id="here"></div>
<a id="boosted" hx-boost="true" href="/private/app/boosted">Go</a>`)
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
