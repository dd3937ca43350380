package oauth2server

import (
	"html"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

func TestReadLine(t *testing.T) {
	const unseen, marks, long = "Leave out characters that cannot be seen.", "Leave out accents", "Shorten this to 20 characters."
	for _, c := range []struct{ name, typed, want, problem string }{
		{"plain", " A reader (beta) ", "A reader (beta)", ""},
		{"nothing", " ", "", ""},
		{"as long as it may be", strings.Repeat("é", 20), strings.Repeat("é", 20), ""},
		{"longer", strings.Repeat("é", 21), "", long},
		{"Hebrew", "\u05e7\u05d5\u05e8\u05d0", "\u05e7\u05d5\u05e8\u05d0", ""},
		{"Hebrew with three points on a letter", "\u05e9\u05c1\u05bc\u05b8", "\u05e9\u05c1\u05bc\u05b8", ""},
		{"Hindi", "\u092a\u093e\u0920\u0915", "\u092a\u093e\u0920\u0915", ""},
		{"Korean", "\ub3c5\uc790", "\ub3c5\uc790", ""},
		{"Vietnamese, decomposed", "e\u0302\u0301", "e\u0302\u0301", ""},
		{"a pictograph", "\U0001f4d6", "\U0001f4d6", ""},

		{"several lines", "a\nb", "", unseen},
		{"a control", "a\x00b", "", unseen},
		{"broken UTF-8", "a\xffb", "", unseen},
		{"turned around", "a\u202eb", "", unseen},
		{"an isolate", "a\u2066b", "", unseen},
		{"a blank of no width", "a\u200bb", "", unseen},
		{"a joiner", "a\u200db", "", unseen},
		{"another blank", "a\u2003b", "", unseen},
		{"Hangul filler", "\u3164", "", unseen},
		{"Hangul choseong filler", "\u115f", "", unseen},
		{"Hangul jungseong filler", "\u1160", "", unseen},
		{"halfwidth Hangul filler", "\uffa0", "", unseen},
		{"empty Braille cell", "\u2800", "", unseen},
		{"empty note head", "\U0001d159", "", unseen},
		{"empty hieroglyph", "\U00013441", "", unseen},
		{"Khitan filler", "\U00016fe4", "", unseen},
		{"Khmer inherent vowel", "\u17b4", "", unseen},
		{"grapheme joiner", "Raven\u034f", "", unseen},
		{"variation selector", "A\ufe0f", "", unseen},
		{"another variation selector", "A\U000e0100", "", unseen},
		{"Mongolian variation selector", "A\u180b", "", unseen},
		{"tag", "A\U000e0041", "", unseen},

		{"four marks", "a\u0300\u0301\u0302\u0303", "a\u0300\u0301\u0302\u0303", ""},
		{"five marks", "a\u0300\u0301\u0302\u0303\u0304", "", marks},
		{"the same mark twice", "a\u0301\u0301", "", marks},
		{"a mark on nothing", "\u0301a", "", marks},
		{"a mark on a blank", "a \u0301", "", marks},
		{"a circle around nothing", "\u20dd", "", marks},
		{"a spacing mark on nothing", "\u093e", "", marks},
	} {
		t.Run(c.name, func(t *testing.T) {
			line, problem := readLine(c.typed, 20)
			if c.problem == "" {
				assert.Empty(t, problem)
				assert.Equal(t, c.want, line)
				return
			}
			assert.Contains(t, problem, c.problem)
			assert.Equal(t, strings.TrimSpace(c.typed), line, "what was typed")
			_, problem = readText("first\n"+c.typed, 6+20)
			assert.Equal(t, c.name == "several lines", problem == "", "in a text of several lines")
		})
	}
}

// TestSettings_namesTurnNothingAround wants a name that is written from right to left to
// leave what stands around it where it is.
func TestSettings_namesTurnNothingAround(t *testing.T) {
	const name = "\u05e7\u05d5\u05e8\u05d0"
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	pages := map[string]answer{
		"secret": p.fill(p.settings("/applications/new"), "/applications/new", "name", name, "kind", "confidential", "redirects", appRedirect),
		"made":   p.fill(p.settings("/tokens/new"), "/tokens/new", "name", name, "scope", "profile", "life", "7"),
		"tokens": p.settings("/tokens"),
		"apps":   p.settings("/applications"),
	}
	a := app{id: p.ownApp().ID, redirect: appRedirect}
	pages["consent"] = p.visit(p.ask(a))
	p.code(p.ask(a))
	pages["authorised"] = p.settings("/authorised")
	pages["app"] = p.settings("/applications/" + a.id)
	pages["reset"] = p.settings("/applications/" + a.id + "/secret")
	for where, page := range pages {
		require.Equal(t, http.StatusOK, page.StatusCode, where)
		checkMarkup(t, page.body)
		body := html.UnescapeString(page.body)
		isolates := strings.Count(body, "<bdi>"+name+"</bdi>") + strings.Count(body, "\u2068"+name+"\u2069")
		assert.NotZero(t, isolates, where)
		assert.Equal(t, strings.Count(body, name), isolates, where)
	}
}
