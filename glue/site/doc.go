// Package site keeps the secret that a web site's cookies, forms and tokens
// are protected with.
//
// A site has one secret, in one file. It is made on first use, is never sent
// anywhere, and every key in use is derived from it for one purpose:
//
//	secret, err := site.LoadSecret("/var/lib/soc/secret")
//	if err != nil {
//		log.Fatal(err) // says what is wrong with the file and how to mend it
//	}
//	keys := secret.Derive("newsletter links", "https://soc.example")
//
// Whoever reads the secret can log in as anybody, so keep it out of the web
// root, out of version control and out of backups that others can read. Sites
// that run on several machines need the same file on each of them.
//
// # Rotation
//
// A secret may have several lines. The first one seals what is new; all of
// them open what is old. To rotate, put a new line above the others and restart
// the site (on several machines: first add the new line below the others on
// every machine, then move it to the top on every machine). Remove the old line
// when whatever it sealed has expired; remove it at once, and log everybody
// out, when somebody may have read it. Lines that start with # are comments.
//
// # Stability
//
// The exported names and the keys that Derive gives for a line, a purpose and
// a context do not change within a major version.
package site
