// Package password checks names and passwords safely: it bounds how often wrong ones are tried,
// remembers for a while which were right, checks once for requests that bring the same at the
// same time, and speaks HTTP Basic.
//
//	people, err := password.New(password.Config{Site: soc, Check: check})
//	if err != nil {
//		log.Fatal(err)
//	}
//	user, no := people.Basic(r, "Log in") // in a handler
//	if no != nil {
//		no.Answer(soc, w, r)
//		return
//	}
//
// [Form] is a login form, with sessions, for the same passwords.
//
// Wrong passwords are limited per name and per client's network. The client's address is
// known only inside of [site.Site.Handler], with the site's Proxies where there are any:
// without, everybody seems to come from the front server, and a stranger who guesses at a
// name, or at many, locks out all others.
//
// What the site must still do: serve https, protect its other forms against cross-site
// requests (glue/xsrf), and keep the passwords themselves slow to guess, as bcrypt does.
package password
