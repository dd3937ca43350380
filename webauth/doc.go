// Package webauth is the protocol core of Ucam-WebAuth, the single-sign-on protocol
// of the University of Cambridge's Raven and its heirs: services, requests,
// responses and their verification. (It is not WebAuthn.)
//
// Most sites want package glue, which adds sessions, policy and pages to it. A site
// with sessions of its own does this:
//
//	signer, err := webauth.NewRequestSigner(webauth.SignerConfig{Service: svc, Origin: "https://soc.example", Keys: keys})
//	verifier, err := webauth.NewVerifier(webauth.VerifierConfig{Service: svc, Signer: signer, OneUse: webauth.NewMemoryOneUse(0, nil)})
//
//	// out: secret is the browser's, from a __Host- cookie, made by NewBrowserSecret
//	req, err := signer.Sign(secret, webauth.Request{URL: here})
//	location, err := svc.LoginURL(req) // 303 to it
//
//	// back
//	value, found, err := webauth.ResponseFrom(r.URL.RawQuery)
//	resp, err := verifier.Verify(ctx, value, webauth.Expect{URL: here, Secret: secret})
//	// start a session for resp.Principal(), bound to secret.Binding(); 303 to resp.URL()
//
// What the caller must still do: take the origin of the variable here from configuration,
// never from the Host header, and its path and query in the form of [CanonicalTarget];
// start a new session id at each login; check the binding on every request and change the
// secret at logout; check ptags; send Cache-Control: no-store; keep WLS-Response out of
// logs.
//
// The API is not stable before version 1; what it accepts on the wire will not become
// laxer.
package webauth
