package site

import (
	"net/http"
	"slices"
)

// Cookies names the cookies that a way of logging in sets at a site.
type Cookies struct {
	// Sessions are the names of the cookies that say who somebody is.
	Sessions []string
	// Own reports whether any of its cookies, of sessions and others, has this name.
	Own func(name string) bool
}

// AddCookies adds the cookies of a way of logging in. It is for packages of this module.
func (s *Site) AddCookies(c Cookies) {
	for {
		old := s.cookies.Load()
		all := []Cookies{c}
		if old != nil {
			all = append(all, *old...)
		}
		if s.cookies.CompareAndSwap(old, &all) {
			return
		}
	}
}

// OwnCookie reports whether a cookie of that name is one of those of the site's logins, which
// what stands behind the login should neither see nor set.
func (s *Site) OwnCookie(name string) bool {
	all := s.cookies.Load()
	return all != nil && slices.ContainsFunc(*all, func(c Cookies) bool { return c.Own(name) })
}

// HasSessionCookie reports whether a request brings a cookie that says who somebody is,
// good or bad.
func (s *Site) HasSessionCookie(r *http.Request) bool {
	brought := func(name string) bool { return len(r.CookiesNamed(name)) > 0 }
	all := s.cookies.Load()
	return all != nil && slices.ContainsFunc(*all, func(c Cookies) bool { return slices.ContainsFunc(c.Sessions, brought) })
}
