// Package oauth2server opens the API of a site whose people log in with package glue to
// programs: by personal access tokens, which people make for their own programs, and by
// OAuth 2.0, with which they let an application of somebody else's act for them.
//
//	db, err := sql.Open("sqlite", "file:/var/lib/soc/api.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
//	...
//	db.SetMaxOpenConns(16)
//	db.SetMaxIdleConns(16)
//	server, err := oauth2server.New(ctx, oauth2server.Config{
//		DB: db, Dialect: oauth2server.SQLite, // or PostgreSQL, for several machines
//		Auth: auth, Guard: guard,
//		Scopes: []oauth2server.Scope{{Name: "records:read", Text: "Read your records."}},
//	})
//	...
//	mux.Handle("/oauth/", server.Handler()) // the pages are below /oauth/settings/
//	mux.Handle("/.well-known/oauth-authorization-server", server.Metadata())
//	mux.Handle("GET /api/records", server.RequireAPI("records:read")(records))
//	// in records: a, ok := oauth2server.AccessFrom(r.Context())
//
// The package imports no SQL driver: import modernc.org/sqlite for SQLite, or
// github.com/jackc/pgx/v5/stdlib for PostgreSQL, beside it. Settings of both, sizes and
// alarms are in glue/ENGINES.md.
//
// # What it does
//
// Grants are authorization code, always with PKCE (S256, RFC 7636), for public and
// confidential clients; refresh, with rotation; and client credentials, for what
// Config.ClientScopes lists. There are revocation (RFC 7009), introspection (RFC 7662),
// metadata (RFC 8414) and the issuer in responses (RFC 9207). Pages of other origins may call
// where they belong to a public client (CORS). Where RFC 9700, the best
// current practice, is stricter than RFC 6749, the former holds.
//
// # What is kept
//
// Tokens, codes and client secrets hold 256 random bits and are kept as their SHA-256
// only, so that a copy of the database lets nobody in. They begin with "wlsp_"
// (personal), "wlsa_" (access), "wlsr_" (refresh), "wlsc_" (code) or "wlss_" (client
// secret) and end with a checksum, so that scanners find those that leak: look for
//
//	wls[parcs]_[0-9A-Za-z]{49}
//
// A code, and a refresh token, is used by a conditional update whose row count says who was
// first, on any machine. A second use, by the client that it belongs to, revokes everything
// that the first one gave. Refresh tokens that were given one for the other share one row, by
// which those that are used up are recognised. What is revoked is deleted and ends at once, on
// all machines, because each use of a token asks the database.
//
// # What the site must still do
//
// Keep out people who have left: [Config].Active is asked at each use of a token, and the
// policy of [Config].Auth decides about sessions. Limit how often programs may call. Serve
// https, keep Authorization headers out of logs, and back up the database.
//
// The API is not stable before version 1; what is accepted will not become laxer.
package oauth2server
