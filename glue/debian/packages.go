package main

// What all packages say of themselves.
const (
	maintainer = "The go-webauth authors <go-webauth@lists.invalid>"
	homepage   = "https://github.com/ucam-webauth/go-webauth"
)

// program is one that goes into a package.
type program struct {
	Name string
	dir  string // of its source, below the module's
	// help are the arguments by which it prints what its manual page is made from.
	help    []string
	seeAlso []string
}

// debian is a package.
type debian struct {
	Name     string
	Programs []program
	// Summary is at most 80 characters, as each line of Description is.
	Summary     string
	Description []string

	// The rest is for a program that serves what a configuration file says.

	// config is the directory, below the module's, of the type Config that the file is read into.
	config string
	// Credentials are the files in /etc with secrets that systemd hands to it.
	Credentials []string
	// Needs says what its smallest configuration needs beside it.
	Needs string
	// State says that it keeps something in /var/lib.
	State bool
}

var packages = []debian{
	{
		Name:     "wlsgateway",
		Programs: []program{{"wlsgateway", "glue/gateway/cmd/wlsgateway", []string{"help"}, []string{"wlsgateway.toml(5)", "systemd.exec(5)"}}},
		Summary:  "reverse proxy that logs people in with Ucam-WebAuth or OpenID Connect",
		Description: []string{
			"It stands before sites that are not written in Go, or must not change, and",
			"tells them who somebody is. Rules say who may have what.",
		},
		config:      "glue/gateway",
		Credentials: []string{"secret", "cert.pem", "key.pem", "client-secret", "redis-url", "hmac-key"},
		Needs:       "cert.pem and key.pem",
	},
	{
		Name:     "wlsbridge",
		Programs: []program{{"wlsbridge", "glue/wlsbridge/cmd/wlsbridge", []string{"help"}, []string{"wlsbridge.toml(5)", "systemd.exec(5)"}}},
		Summary:  "login service of one's own for sites that speak Ucam-WebAuth",
		Description: []string{
			"It logs people in by an OpenID Connect provider or another login service, and",
			"answers sites that cannot change under its own key.",
		},
		config:      "glue/wlsbridge/cmd/wlsbridge",
		Credentials: []string{"secret", "cert.pem", "key.pem", "client-secret", "redis-url"},
		Needs:       "cert.pem, key.pem and client-secret",
		State:       true,
	},
	{
		Name: "ucam-webauth-tools",
		Programs: []program{
			{"wlsverify", "webauth/cmd/wlsverify", []string{"-help"}, []string{"wlskeys(1)", "fakewls(1)"}},
			{"wlskeys", "keys/cmd/wlskeys", []string{"help"}, []string{"wlsverify(1)"}},
			{"fakewls", "webauth/cmd/fakewls", []string{"-help"}, []string{"wlsverify(1)"}},
		},
		Summary: "tools for sites that log people in with Ucam-WebAuth",
		Description: []string{
			"wlsverify says what is wrong with a response of a login service, wlskeys shows",
			"and compares the keys of login services, and fakewls is a fake one to try a",
			"site with.",
		},
	},
}
