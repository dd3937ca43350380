package manual_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/manual"
)

var about = manual.About{Program: "prog", Version: "1.2", Date: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), SeeAlso: []string{"prog.toml(5)", "sh(1)"}}

func TestPage1(t *testing.T) {
	page, err := manual.Page1(about, `prog is a program that does it. It does it well.

Usage:
  prog FILE      does it
  prog -x 'y'    does not

.hidden is a file,
and so is this.

Signals:
  HUP   reads again
  TERM  \stops

Exit status: 0 done.
`)
	require.NoError(t, err)
	assert.Equal(t, `.TH PROG 1 2026-11-30 "1.2" "Ucam-WebAuth for Go"
.SH NAME
prog \- a program that does it
.SH SYNOPSIS
.EX
prog FILE      does it
prog \-x \(aqy\(aq    does not
.EE
.SH DESCRIPTION
prog is a program that does it. It does it well.
.PP
\&.hidden is a file,
and so is this.
.SS Signals
.EX
  HUP   reads again
  TERM  \estops
.EE
.SH EXIT STATUS
0 done.
.SH SEE ALSO
.BR prog.toml (5),
.BR sh (1)
`, page)
	for _, row := range [][3]string{
		{"another name", "program does it.\n\nUsage:\n  prog\n", "does not begin with its name and what it does"},
		{"no usage", "prog does it.\n\nIt is simple.\n", "does not say how it is called"},
		{"nothing more", "prog does it.\n", "does not say how it is called"},
	} {
		_, err := manual.Page1(about, row[1])
		assert.ErrorContains(t, err, row[2], row[0])
	}
}

// file is a configuration file that is all about one struct of testdata.
func file(t *testing.T) *manual.File {
	table, err := manual.Read("testdata", "words", "Config")
	require.NoError(t, err)
	f := &manual.File{Table: table}
	for to, text := range map[*manual.Values]string{
		&f.Smallest: "base-url = 'x'\n[[rule]]\nkind = 'open'\n",
		&f.Defaults: "base-url = 'x'\nmax-bytes = 7\n[[rule]]\nkind = 'open'\n",
		&f.Examples: "front = 'a \"b\"'\nheader = ['h', 'i']\npath = 'p'\nlife = '1h'\ninner.max-life = '2h'\nnames = {b = 'c', '' = 'd'}\n",
	} {
		*to, err = manual.ParseValues([]byte(text))
		require.NoError(t, err)
	}
	return f
}

func TestExample(t *testing.T) {
	text, err := file(t).Example("All of it.\nReally.")
	require.NoError(t, err)
	assert.Equal(t, `# All of it.
# Really.

# base-url is where the site is. See also front, and inner.max-life of inner.
base-url = "x"

# front, header and max-bytes are explained at once. header is first, max-bytes last.
#front = 'a "b"'  # an example
#header = ["h", "i"]  # an example
#max-bytes = 7

# path is a path, as in "Path = /". The Path attribute and the Host header are of HTTP, and
# so is X-Front. Front is a word here; and front a key. Without max-bytes there is none.
#path = "p"  # an example

# how long, as inner.max-life of the rule's max-life
#life = "1h"  # an example

# inner is a table.
#[inner]

# max-life is not less than base-url.
#max-life = "2h"  # an example

# rule are tables.
[[rule]]

# kind is open or shut. Open is a word here, and so is Optional.
# "open" lets in, as path says.
# "shut" does not, as "open" does.
kind = "open"

# names are up to the operator.
#[names]
#'' = 'd'  # an example
#b = 'c'  # an example
`, text)

	f := file(t)
	delete(f.Examples, "inner.max-life")
	_, err = f.Example("")
	assert.EqualError(t, err, "inner.max-life has neither a default nor an example")
	_, err = f.Page5(about, "")
	assert.EqualError(t, err, "inner.max-life has neither a default nor an example")
}

func TestPage5(t *testing.T) {
	page, err := file(t).Page5(about, "It is a file.\n\nIn TOML.")
	require.NoError(t, err)
	assert.Contains(t, page, `.TH PROG.TOML 5 2026-11-30 "1.2" "Ucam-WebAuth for Go"
.SH NAME
prog.toml \- configuration of prog(1)
.SH DESCRIPTION
It is a file.
.PP
In TOML.
`)
	assert.Contains(t, page, `.TP
\fBfront\fR = \(aqa \(dqb\(dq\(aq, for example
.TQ
\fBheader\fR = [\(dqh\(dq, \(dqi\(dq], for example
.TQ
\fBmax\-bytes\fR = 7
front, header and max\-bytes are explained at once. header is first, max\-bytes last.
.TP
`)
	assert.Contains(t, page, `.SH [[rule]]
rule are tables.
.TP
\fBkind\fR = \(dqopen\(dq, for example
kind is open or shut. Open is a word here, and so is Optional.
.IP
\(dqopen\(dq lets in, as path says.
`)
}
