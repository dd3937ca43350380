package oidctest

// Faults of logout tokens (OpenID Connect Back-Channel Logout 1.0, section 2.6), beside
// those of how a token is signed. They are of no one login: use Always.
const (
	FaultLogoutNonce     Fault = "logout-nonce"
	FaultLogoutNoEvents  Fault = "logout-no-events"
	FaultLogoutEvents    Fault = "logout-events-other"
	FaultLogoutEventList Fault = "logout-events-list"
	FaultLogoutAud       Fault = "logout-aud"
	FaultLogoutNoAud     Fault = "logout-no-aud"
	FaultLogoutIss       Fault = "logout-iss"
	// FaultLogoutOld was made and ended a day ago; FaultLogoutOldNoExp has no end.
	FaultLogoutOld      Fault = "logout-old"
	FaultLogoutOldNoExp Fault = "logout-old-no-exp"
	FaultLogoutFuture   Fault = "logout-future"
	FaultLogoutNoIat    Fault = "logout-no-iat"
	FaultLogoutNoJti    Fault = "logout-no-jti"
	// FaultLogoutNobody names neither a person nor a session; FaultLogoutOther names some
	// that do not exist.
	FaultLogoutNobody Fault = "logout-nobody"
	FaultLogoutOther  Fault = "logout-other"
	// FaultLogoutSidOnly and FaultLogoutSubOnly name a session or a person alone, as
	// providers may.
	FaultLogoutSidOnly Fault = "logout-sid-only"
	FaultLogoutSubOnly Fault = "logout-sub-only"
	// FaultLogoutTyp says that it is an access token, FaultLogoutTypJWT that it is a JWT, as
	// providers may.
	FaultLogoutTyp    Fault = "logout-typ"
	FaultLogoutTypJWT Fault = "logout-typ-jwt"
)

var logoutFaults = []named{
	{FaultLogoutNonce, logoutClaim("nonce", "a-nonce")},
	{FaultLogoutNoEvents, logoutClaim("events", nil)},
	{FaultLogoutEvents, logoutClaim("events", map[string]any{"https://provider.example/event": map[string]any{}})},
	{FaultLogoutEventList, logoutClaim("events", []string{logoutEvent})},
	{FaultLogoutAud, logoutClaim("aud", "another")},
	{FaultLogoutNoAud, logoutClaim("aud", nil)},
	{FaultLogoutIss, logoutClaim("iss", "https://provider.example")},
	{FaultLogoutOld, logoutTimes(-day, "iat", "exp")},
	{FaultLogoutOldNoExp, func() effect {
		old := logoutTimes(-day, "iat").logout
		return effect{logout: func(p *Provider, c map[string]any) { old(p, c); delete(c, "exp") }}
	}()},
	{FaultLogoutFuture, logoutTimes(hour, "iat", "exp")},
	{FaultLogoutNoIat, logoutClaim("iat", nil)},
	{FaultLogoutNoJti, logoutClaim("jti", nil)},
	{FaultLogoutNobody, effect{logout: func(_ *Provider, c map[string]any) { delete(c, "sub"); delete(c, "sid") }}},
	{FaultLogoutOther, effect{logout: func(_ *Provider, c map[string]any) { c["sub"], c["sid"] = "nobody", "none" }}},
	{FaultLogoutSidOnly, logoutClaim("sub", nil)},
	{FaultLogoutSubOnly, logoutClaim("sid", nil)},
	{FaultLogoutTyp, logoutTyp("at+jwt")},
	{FaultLogoutTypJWT, logoutTyp("JWT")},
}

// logoutClaim sets a claim of logout tokens; nil takes it away.
func logoutClaim(name string, value any) effect {
	return effect{logout: func(_ *Provider, c map[string]any) { merge(c, map[string]any{name: value}) }}
}

// logoutTimes moves the times of logout tokens.
func logoutTimes(by int64, names ...string) effect {
	return effect{logout: func(_ *Provider, c map[string]any) {
		for _, name := range names {
			c[name] = c[name].(int64) + by
		}
	}}
}

func logoutTyp(typ string) effect {
	return effect{logout: func(*Provider, map[string]any) {}, header: headers("typ", typ).header}
}
