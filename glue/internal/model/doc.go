// Package model is the login flow as a small explicit-state model. Its tests visit
// every state that a browser, a login service, a site and an attacker can get into
// within stated bounds, and check in each that nobody is logged in who should not be.
// Then they switch off one rule of the code at a time and want the damage found, and
// they walk through the model at random beside a real site, which must do the same.
//
// # Reading it
//
// The model is a test, all of it. state_test.go says what there is; site_test.go,
// login_test.go and form_test.go what the site does: it is webauth.Verifier,
// glue.Auth.Require, Optional and Logout without parsing, cryptography and clocks.
// openid_test.go has what is different with OpenID Connect (package glue/oidclogin).
// browser_test.go, wls_test.go and attacker_test.go have everybody else's steps.
// rules_test.go lists the rules that can be switched off, each with the code that keeps
// it, and what can happen in a scenario; invariants_test.go lists what must never happen.
// explore_test.go searches, the shortest way first, so that a trace has no step too many;
// tidy_test.go keeps the number of states small. model_test.go has the scenarios and a
// row for each rule, or for two where either alone would be enough; openidmodel_test.go has
// those of OpenID Connect.
//
// go test -v prints the traces: each is an attack on a site that lacks one rule.
//
// # Held against the code
//
// TestReplay takes random ways through the model and does each step with a glue.Auth, too,
// on two machines with one memory, where people log in by either kind of login: it compares
// where the browser is sent, which page, event and reason come of it, which cookies are
// set, and afterwards who is logged in where and what is used up. stage_test.go has the site
// and the browsers, stageopenid_test.go the provider, perform_test.go the steps,
// verdict_test.go the comparison. When it fails it prints the way there and the seed.
//
//	go test ./glue/internal/model -run Replay -walks 5000
//	go test ./glue/internal/model -run Replay -walks 1 -seed 42
//
// # The world
//
// The victim has one browser with one or two tabs; a reply of the site that sets
// cookies takes any time to arrive, as does the way to the WLS and back. The WLS knows
// a browser again once a password was typed in it, and asks again for iact=yes. The
// site has two routes: /lax lets in whoever logged in, /strict only after a typed
// password. Both want ptag current, which the victim has and the attacker has not.
//
// The attacker has a secret of the site's and an account of his own; he gets tokens
// and responses with them, of any version. He sends the victim's tabs to the WLS, with
// url and params of his choice, and to the site, with any response that he has; his
// own site receives responses that were asked for it; he makes the victim's browser
// fetch. He reads every response that reached the site, in its access log. He can sign
// as another service, under which another site has the same secret. His host sets cookies
// for the site, which matter where a rule is off that forbids it; the site loses the memory
// of what was used, and then trusts nothing older, unless that rule is off.
//
// With OpenID Connect the login service is a provider. State is a token, which the site seals;
// a code is a response, but one that nobody signed: what the provider says of it comes
// from the token endpoint, once, and for the verifier alone of the challenge that the request
// had. All answers come to one address. The attacker makes requests to the provider of his own:
// any state that he knows, nonce and challenge of a request that he got for his own browser,
// or none; he puts any code beside any state; his own site is a client of the same provider. The
// provider takes a code without challenge with any verifier. What is new about the rules:
//
//   - A code is used as soon as it is seen, whatever state comes with it, or none: the
//     attacker has it issued for nonce and challenge of his own request, and for a state that
//     is good for nothing; what is refused then is in the log. That is where this differs
//     from a response, which carries its token under one signature.
//   - It is used for all services of a site, not for the one whose state came with it.
//   - A state is known as the site's own without the secret of its browser, or it could not
//     be spent where another browser brings it.
//   - A logout that the provider tells of counts for logins that are still waiting for the token
//     endpoint.
//
// Some scenarios have more:
//
//   - A spelling with dot segments of an address that is guarded as /lax is. A browser
//     that is told to open it asks for /open, where no handler of ours answers and
//     the attacker reads whatever arrives.
//   - An optional handler with silent sign-in around the site, and /quiet in it, which
//     wants a session that began without a typed password. All responses come to the
//     outer handler, whose own policy is that of /lax.
//   - Something between two handlers that answers a request before the inner one sees
//     it, such as a redirect to a page about maintenance.
//   - A victim who goes back to the WLS after a login that failed. If that succeeds, a page
//     asks whether to go on; the victim does if it names the victim. The attacker writes
//     failures, which nobody need sign, and reads in the log which buttons were pressed.
//   - Sessions that end by themselves, and forms that are kept over the next login: such
//     as the route lets through, and such as it refuses. Whoever has a page that keeps a
//     form may send it to another route. The attacker has the victim's browser send his.
//   - Both kinds of login at one site. An answer of one kind comes with a token of the other.
//   - Two providers, one of them the attacker's, who sends the victim on to the other (mix-up).
//     The site has one, unless the rule is off that says so.
//   - A front server that answers in the site's place what comes back to requests of the
//     site's own, and logs it: verifier and nonce are good against that.
//   - A victim who logs out at the provider, while the token endpoint takes its time.
//   - An attacker who reads all that is on its way, and can win by that. Only walks have
//     him, to see that model and code agree on what he tries.
//
// # The bounds
//
// Any number of logins, logouts, cancels and attacks in a row, with as many tabs,
// tokens and responses alive at one time as the scenario says: up to 2, 4 and 3
// without the attacker; 1, 3 and 2, and 2, 2 and 2, with him; 1, 2 and 2, and 2, 3 and 2,
// for the list above (less under the race detector). A token or response is alive until
// nobody has it or it will be refused for ever. One form is kept at a time. There are at
// most seven secrets of browsers at a time.
//
// # What it cannot show
//
//   - That cryptography holds. A token, a response or a session that was not made by its
//     maker does not exist; secrets are not guessed.
//   - That parsers are right. A response is understood or not, by everybody alike; one
//     spelling stands for all addresses that browsers do not ask for as they are written.
//   - Anything about time. No token or response expires: that a response is good for half
//     a minute and a token for an hour only takes chances from the attacker, if what was
//     used is remembered as long as it would pass. No time passes during a chain of
//     automatic redirects, so loops that take longer than the loop cookie lasts are not seen.
//   - A request that is logged but never reaches the site, and one for which the
//     one-use store gives no answer: both leave a good response in the log, unmarked. With
//     OpenID Connect that is of use only where the attacker made the request to the provider.
//   - Fresh, AAuth, inactivity, several origins, changes of the site's secret, stores other
//     than sealed cookies, targets that are too long for a URL.
//   - What people see. That only pages log in is for them: with the rule off (OnlyPages),
//     whatever brings a browser's cookies is one tab more, and no invariant breaks. What a
//     browser says of service workers, prefetches and frames is tried in real ones.
//   - That everything ends well. A refusal is an end. Only the page about loops is looked
//     for as a fault, and there the victim has one tab and takes a minute for each page.
//   - A browser that loses the loop cookie but keeps the session.
//   - What a person can be talked into, beside a button that does not say whom it logs in;
//     a browser that is taken over, and a login service that lies or that lets itself be logged in
//     to by somebody else's page.
//   - That code and model agree where no walk has been. Where the code changes, this must be
//     changed by hand.
//
// A login is newer than a logout if the WLS answered after the page that said so
// arrived. In a browser that was never here, two tabs opened at once get two secrets;
// if the slower reply comes after a logout in the other tab, its login goes on, though
// it was asked for before. The browser remembers a failure at once, though the reply
// that says so takes time: here a token is open to a success for longer than it is.
package model
