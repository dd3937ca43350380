package cookie

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func requestWith(lines ...string) *http.Request {
	return &http.Request{Header: http.Header{"Cookie": lines}}
}

// assertAsNetHTTP checks that a cookie is found as net/http finds it.
func assertAsNetHTTP(t *testing.T, r *http.Request, name string) {
	t.Helper()
	want := r.CookiesNamed(name)
	value, times := find(r, name)
	assert.Equal(t, len(want), times, "%q in %q", name, r.Header["Cookie"])
	if len(want) > 0 {
		assert.Equal(t, want[len(want)-1].Value, value, "%q in %q", name, r.Header["Cookie"])
	}
	if len(want) == 1 {
		assert.Equal(t, want[0].Value, Get(r, name))
	} else {
		assert.Empty(t, Get(r, name))
	}
}

var spellings = []struct{ name, cookies, want string }{
	{"alone", "a=1", "1"},
	{"among others", "b=2; a=1; c=3", "1"},
	{"no blank", "b=2;a=1;c=3", "1"},
	{"blanks and tabs around", " \t b=2 ;\t a=1 \t; c=3", "1"},
	{"a blank before the sign", "a =1", "1"},
	{"a blank after the sign", "a= 1", " 1"},
	{"line breaks", "\r\na=1\r\n", "1"},
	{"another space", "\va=1", ""},
	{"a no-break space", "\u00a0a=1", ""},
	{"no value", "a=", ""},
	{"no sign", "a", ""},
	{"no name", "=1", ""},
	{"empty parts", ";;a=1;;", "1"},
	{"a sign in the value", "a=1=2", "1=2"},
	{"quoted", `a="1"`, "1"},
	{"quoted, with blanks around", `a= "1" `, ""},
	{"a blank and a comma", "a=1 2,3", "1 2,3"},
	{"a quote at the start", `a="1`, ""},
	{"a lone quote", `a="`, ""},
	{"two quotes", `a=""`, ""},
	{"a quote inside", `a=1"2`, ""},
	{"quotes in quotes", `a=""1""`, ""},
	{"a semicolon in quotes", `a="1;2"`, ""},
	{"a backslash", `a=1\2`, ""},
	{"a control character", "a=1\x00", ""},
	{"DEL", "a=1\x7f", ""},
	{"UTF-8", "a=é", ""},
	{"twice", "a=1; a=2", ""},
	{"twice the same", "a=1; a=1", ""},
	{"twice, the first no value", "a; a=1", ""},
	{"twice, one of them not valid", "a=\x01; a=1", "1"},
	{"in another case", "A=1", ""},
	{"a longer name", "aa=1", ""},
	{"a name that is none", "a b=1", ""},
	{"in the value of another", `b="x; a=1; y"`, "1"},
}

func TestGet(t *testing.T) {
	for _, tt := range spellings {
		t.Run(tt.name, func(t *testing.T) {
			r := requestWith(tt.cookies)
			assert.Equal(t, tt.want, Get(r, "a"))
			assertAsNetHTTP(t, r, "a")
		})
	}
	t.Run("several headers", func(t *testing.T) {
		assert.Equal(t, "1", Get(requestWith("b=2", "a=1"), "a"))
		assert.Empty(t, Get(requestWith("a=1", "a=1"), "a"))
		assertAsNetHTTP(t, requestWith("a=1", "", "a=2"), "a")
	})
	t.Run("no header", func(t *testing.T) { assertAsNetHTTP(t, requestWith(), "a") })
	t.Run("names that no cookie has", func(t *testing.T) {
		for _, name := range []string{"", "a b", " a", "a=", "é", `"a"`} {
			assertAsNetHTTP(t, requestWith(name+"=1; =1"), name)
		}
	})
}

func TestGetAllocatesNothing(t *testing.T) {
	r := requestWith("b=2; a=1; a2=" + strings.Repeat("x", 400))
	assert.Zero(t, testing.AllocsPerRun(100, func() { Get(r, "a2") }))
}

// More cookies than net/http takes are none, whichever of them is asked for.
func TestLimit(t *testing.T) {
	for _, n := range []int{few - 1, few, few + 1, 2999, 3000, 3001} {
		assertAsNetHTTP(t, requestWith(strings.Repeat("b=2;", n-1)+"a=1"), "a")
		assertAsNetHTTP(t, requestWith(strings.Repeat("b=2;", n-2)+"b=2", "a=1"), "a")
	}
}

// TestOtherLimit runs this test anew in a program that was started with that limit.
func TestOtherLimit(t *testing.T) {
	if os.Getenv("GODEBUG") != "httpcookiemaxnum=3" {
		run := exec.Command(os.Args[0], "-test.run=^TestOtherLimit$")
		run.Env = append(os.Environ(), "GODEBUG=httpcookiemaxnum=3")
		out, err := run.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return
	}
	assert.Equal(t, "1", Get(requestWith("b=2;c=3;a=1"), "a"))
	assert.Empty(t, Get(requestWith("b=2;c=3;d=4;a=1"), "a"))
	assert.Empty(t, Get(requestWith("b=2;c=3", "d=4;a=1"), "a"))
}

// FuzzGet: two headers are read as net/http reads them.
func FuzzGet(f *testing.F) {
	for _, tt := range spellings {
		f.Add(tt.cookies, "", "a")
		f.Add("b=2", tt.cookies, "a")
	}
	f.Add("a b=1; =1", "é=1", "a b")
	f.Add("__Host-session=x", "__Host-session =x", "__Host-session")
	f.Add(strings.Repeat(";", few), "a=1", "a")
	f.Fuzz(func(t *testing.T, first, second, name string) {
		assertAsNetHTTP(t, requestWith(first, second), name)
		assertAsNetHTTP(t, requestWith(first), name)
		// A name that the fuzzer would hardly spell twice.
		spelt, _, _ := strings.Cut(second, "=")
		assertAsNetHTTP(t, requestWith(first, second), spelt)
		assertAsNetHTTP(t, requestWith(first, second), strings.TrimSpace(spelt))
	})
}

func BenchmarkGet(b *testing.B) {
	r := requestWith("__Host-session=" + strings.Repeat("x", 400) + "; __Host-wls-login=" + strings.Repeat("x", 22))
	b.ReportAllocs()
	for b.Loop() {
		if Get(r, "__Host-session") == "" || Get(r, "__Host-wls-login") == "" {
			b.Fatal("not found")
		}
	}
}
