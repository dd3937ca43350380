package remoteuser

import (
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
)

// authTyped is the protocol's name for a password that was typed.
const authTyped = "pwd"

// basic logs a person in by the credentials that the request brings (RFC 7617). ok is
// false where it was answered already: credentials that are wrong are no anonymous visit.
func (v *visit) basic() (id glue.Identity, known, ok bool) {
	values := v.header["Authorization"]
	if len(values) == 0 || len(values) == 1 && !isBasic(values[0]) {
		return id, false, true // nobody, or a token that is the application's affair
	}
	name, password, parsed := v.r.BasicAuth()
	if !parsed || len(values) > 1 {
		v.askByBasic(glue.Event{Name: glue.EventRefused, Reason: reasonMalformed})
		return id, false, false
	}
	switch c := v.checkBasic(name, password); c.kind {
	case right:
	case wrong:
		v.askByBasic(glue.Event{Name: EventWrong, Reason: reasonWrong})
		return id, false, false
	default:
		v.answerCheck(c)
		return id, false, false
	}
	header := v.header.Clone()
	delete(header, "Authorization") // handlers have no use for the password
	v.header = header
	return glue.Identity{
		Principal: name, Service: ServicePassword, Auth: authTyped, Issue: v.now, Password: v.now,
	}, true, true
}

func isBasic(credentials string) bool {
	scheme, _, _ := strings.Cut(credentials, " ")
	return strings.EqualFold(scheme, "Basic")
}

// askByBasic has the browser ask for name and password.
func (v *visit) askByBasic(e glue.Event) {
	v.w.Header().Set("WWW-Authenticate", `Basic realm="`+v.u.cfg.Realm+`", charset="UTF-8"`)
	p := pageNobody
	if e.Name == EventWrong {
		p.Text = []string{"The user name or the password is wrong."}
	} else {
		p.Text = []string{"This page is for people with an account on this site. Reload it to be asked for your user name and password."}
	}
	v.answer(e, p)
}
