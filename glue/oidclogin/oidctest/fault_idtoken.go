package oidctest

// Faults of ID tokens.
const (
	// FaultNonceWrong has another nonce than was asked for; FaultNonceMissing has none.
	FaultNonceWrong   Fault = "nonce-wrong"
	FaultNonceMissing Fault = "nonce-missing"
)

var tokenFaults = []named{
	{FaultNonceWrong, claim("nonce", "another")},
	{FaultNonceMissing, claim("nonce", nil)},
}

// claim sets a claim of the ID token; nil takes it away.
func claim(name string, value any) effect {
	return effect{claims: func(_ *Provider, _ grant, c map[string]any) { merge(c, map[string]any{name: value}) }}
}
