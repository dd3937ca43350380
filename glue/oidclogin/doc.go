// Package oidclogin logs people in to a site of package glue by OpenID Connect, in place of
// Ucam-WebAuth: the same decorator, policies, sessions and pages.
//
//	auth, err := glue.New(glue.Config{
//		Site:      soc,
//		Service:   oidclogin.Cambridge(clientID, "/etc/soc/entra-secret"),
//		LoginPath: "/login", // mounted: http.HandleFunc("/login", auth.Login)
//		Policy:    glue.Policy{AnyPtags: true},
//	})
//
// The provider must know the site as a confidential client, with the site's origin and
// LoginPath, such as https://soc.example/login, as its redirect URI.
//
// # What is the same, and what is not
//
// A login is by the authorization code flow with PKCE and a nonce (OpenID Connect Core 1.0,
// section 3.1; RFC 7636). What Ucam-WebAuth's token does, the state does here: it works once,
// in the browser that asked, at the origin that asked. Nothing is stored between request and
// answer, so that any number of tabs may log in.
//
//   - IAct yes and Fresh ask with prompt=login and max_age, and want auth_time to say that the
//     person logged in for this request. A provider that does not send auth_time lets nobody in
//     there.
//   - IAct no, and Silent, ask with prompt=none.
//   - AAuth asks by acr_values; acr or one of amr must then be in the list. Nothing is
//     asked for by default, and any type will do.
//   - Ptags are the groups or roles that [Provider.Ptags] names. There is no "current": a policy
//     says who may come in, or that anybody may.
//   - Sessions last for MaxLife; no provider shortens it. Desc, Msg and Fail are not sent.
//
// # Moving a site
//
// A site that moves changes the field Service, mounts LoginPath, and says in its policy who may
// come in. What it has stored under principals goes on only if they stay the same:
//
//	                    Raven           a provider           Cambridge           Cambridge, CRSid
//	principal           spqr1           the claim "sub"      spqr1@cam.ac.uk     spqr1
//	of alumni, guests   -               the claim "sub"      whole user name     whole user name
//	never reused        yes             sub                  ObjectID            ObjectID
//	ptag "current"      present staff   none                 none                none
//	                    and students
//	other ptags         none            those named          those named         those named
//	life                the WLS's       MaxLife              MaxLife             MaxLife
//	auth types          pwd             amr, acr or "oidc"   amr or "oidc"       amr or "oidc"
//	AAuth by default    pwd             any                  any                 any
//	Fresh               yes             with auth_time       with auth_time      with auth_time
//
// # The provider
//
// The provider's configuration and its keys are fetched when they are first needed, so a site
// starts without it, and answers logins with 503 while it is away. Both are kept for an hour,
// and used for a day at most where they cannot be had again. No answer of the provider may be
// larger than 1 MiB, take longer than 10 seconds or be a redirect, and after a failure it is
// left alone for 10 seconds. Redirects, userinfo, refresh tokens, encrypted tokens, and
// algorithms other than RS256 are not used.
package oidclogin
