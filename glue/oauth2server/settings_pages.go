package oauth2server

import (
	"net/http"
	"net/url"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// fromParam is the parameter of a list that says where a page of it begins.
const fromParam = "from"

// pages are the links from one page of a list to others; empty for none.
type pages struct {
	First, Next string
	here        string // the query of this page, empty for the first
}

// listPage returns the page of a list that a request is about, as get finds it. Where there
// is nothing any more it is the first.
func listPage[T store.Listed](r *http.Request, path string, get func(from store.Place) ([]T, error)) ([]T, pages, error) {
	from := store.ParsePlace(r.URL.Query().Get(fromParam))
	all, err := get(from)
	if err == nil && len(all) == 0 && from != (store.Place{}) {
		from = store.Place{}
		all, err = get(from)
	}
	var links pages
	page, next := store.Cut(all)
	if from != (store.Place{}) {
		links.First, links.here = path, fromQuery(from.String())
	}
	if next != (store.Place{}) {
		links.Next = path + fromQuery(next.String())
	}
	return page, links, err
}

func fromQuery(place string) string { return "?" + url.Values{fromParam: {place}}.Encode() }
