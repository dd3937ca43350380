// Package readmes tests every README of the repository: what they show as code, configuration
// or commands is what tests compile, load or run, and their links lead somewhere.
//
// The rule is in claims_test.go, by the language that follows a block's backquotes:
//
//   - go: the lines are in an example file of some package, or in testdata/routers, which the
//     compiler sees
//   - toml: the gateway loads it; in the folder of wlsbridge it is in the help of the program,
//     whose test loads it
//   - nginx, apache, caddy, haproxy, lua, yaml: the very file that a test starts the server with
//   - sh: the shell can parse it, and shell_test.go knows each command; packages, flags and
//     subcommands exist; what is harmless is run; what serves until it is stopped is the last
//     command of its block
//
// A block of any other language fails, and so does one without a language.
package readmes
