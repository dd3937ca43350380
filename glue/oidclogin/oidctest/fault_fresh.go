package oidctest

// Faults of when and how a person logged in.
const (
	// FaultIgnorePrompt answers by single sign-on although prompt=login or max_age asked for
	// a password.
	FaultIgnorePrompt Fault = "ignore-prompt"
	// FaultSilentInteracts asks the person although prompt=none forbids it.
	FaultSilentInteracts Fault = "silent-interacts"
	// FaultAuthTimeMissing leaves auth_time out, FaultAuthTimeText has it as a text.
	FaultAuthTimeMissing Fault = "auth-time-missing"
	FaultAuthTimeText    Fault = "auth-time-text"
	// FaultAuthTimeOld says that the password was typed a day ago, FaultAuthTimeFuture that
	// it will be in an hour.
	FaultAuthTimeOld    Fault = "auth-time-old"
	FaultAuthTimeFuture Fault = "auth-time-future"
	// FaultAMRMissing leaves amr and acr out.
	FaultAMRMissing Fault = "amr-missing"
	// FaultAMRText has amr as a text, in place of a list.
	FaultAMRText Fault = "amr-text"
)

var freshFaults = []named{
	{FaultIgnorePrompt, effect{}},    // see authRequest.mustType
	{FaultSilentInteracts, effect{}}, // see authRequest.decide
	{FaultAuthTimeMissing, claim("auth_time", nil)},
	{FaultAuthTimeText, claim("auth_time", "yesterday")},
	{FaultAuthTimeOld, seconds("auth_time", -day)},
	{FaultAuthTimeFuture, seconds("auth_time", hour)},
	{FaultAMRMissing, effect{claims: func(_ *Provider, _ grant, c map[string]any) { merge(c, map[string]any{"amr": nil, "acr": nil}) }}},
	{FaultAMRText, claim("amr", "pwd")},
}
