package oidctest

import (
	"net/http"
	"net/url"
	"strings"
)

// logout ends single sign-on (OpenID Connect RP-Initiated Logout 1.0), and sends the
// browser where the site asks, if that is registered. Like Entra ID it asks nobody.
func (p *Provider) logout(rw http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(rw, r.Body, maxForm)
	_ = r.ParseForm() // what is unreadable is not there
	e := Exchange{At: p.Now(), Endpoint: EndpointLogout, Params: r.Form}
	ended := p.dropSession(r)
	for _, s := range ended {
		e.User = s.user
	}
	http.SetCookie(rw, p.cookie("", -1))
	if e.ReturnURL = p.afterLogout(r.Form); e.ReturnURL != "" {
		e.Reply, e.Status = ReplyReturn, http.StatusSeeOther
	} else {
		e.Reply, e.Status = ReplyPage, http.StatusOK
	}
	p.journal.add(e)
	_ = p.notify(r.Context(), ended) // the journal has it
	if e.ReturnURL != "" {
		redirect(rw, r, e.ReturnURL)
		return
	}
	pages.Render(rw, e.Status, "logout", nil)
}

// afterLogout returns where the site asks to go on, if that is registered for it.
func (p *Provider) afterLogout(form url.Values) string {
	target := form.Get("post_logout_redirect_uri")
	app, ok := p.apps.get(form.Get("client_id"))
	if hint := strings.Split(form.Get("id_token_hint"), "."); !ok && len(hint) == 3 {
		var claims struct{ Aud string }
		if decodePart(hint[1], &claims) { // it says only where to go, among what is registered
			app, ok = p.apps.get(claims.Aud)
		}
	}
	if !ok || target == "" || !registered(app.PostLogoutRedirectURIs, target) {
		return ""
	}
	if state := form.Get("state"); state != "" {
		separator := "?"
		if strings.Contains(target, "?") {
			separator = "&"
		}
		target += separator + "state=" + url.QueryEscape(state)
	}
	return target
}
