// Package readmes tests every README of the repository: what they show as code, configuration
// or commands is what tests compile, load or run, and their links lead somewhere.
//
// The rule is in claims_test.go, by the language that follows a block's backquotes:
//
//   - go: the lines are in an example file of some package, which the compiler sees
//   - toml: the configuration loads, in the gateway's folder and above by the gateway, in wlsbridge's as its help's example
//   - nginx, apache, caddy, haproxy, lua, yaml: the very file of a folder that a test starts the server with
//   - sh: the shell can parse it; each command is one that shell_test.go knows; packages, flags and subcommands exist; what is harmless is run; what
//     serves until it is stopped is the last command of its block
//
// A block of any other language fails, and so does one without a language.
package readmes
