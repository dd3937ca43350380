package oidctest

// Faults of when and how a person logged in.
const (
	// FaultIgnorePrompt answers by single sign-on although prompt=login or max_age asked for
	// a password.
	FaultIgnorePrompt Fault = "ignore-prompt"
	// FaultIgnoreMaxAge heeds prompt but not max_age.
	FaultIgnoreMaxAge Fault = "ignore-max-age"
	// FaultSilentInteracts asks the person although prompt=none forbids it.
	FaultSilentInteracts Fault = "silent-interacts"
)

var freshnessFaults = []named{
	{FaultIgnorePrompt, effect{}},
	{FaultIgnoreMaxAge, effect{}},
	{FaultSilentInteracts, effect{}},
}
