package axetest

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// good is a page with nothing wrong.
const good = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Good</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root { color-scheme: light dark } body { background: light-dark(#fff, #111); color: light-dark(#111, #eee) } a { color: light-dark(#00c, #8cf) } a, button, input { outline-offset: 2px } a, button { padding: 1rem }</style></head>
<body><main><h1>Good</h1><p>Text.</p><p><a href="/">A link</a></p>
<form method="post"><label for="name">Name</label> <input id="name" name="name"> <button>Send</button></form></main></body></html>`

// Each fault that is put into a good page is found.
func TestFaults(t *testing.T) {
	const style = "</style>"
	var pages Pages
	server := httptest.NewServer(&pages)
	defer server.Close()
	b := start(t, server.URL)
	pages.list = []page{{}}
	b.open(t, blank)
	for _, c := range []struct{ name, old, with, want string }{
		{"nothing", "", "", ""},
		{"no label", `<label for="name">Name</label>`, "", "light, 1280 px; dark, 1280 px; dark, 360 px; light, 360 px: label: "},
		{"low contrast", style, "p { color: #aaa; background: #fff }" + style, "light, 1280 px; light, 360 px: color-contrast: "},
		{"low contrast in the dark alone", style, "@media (prefers-color-scheme: dark) { p { color: #444; background: #111 } }" + style, "dark, 1280 px; dark, 360 px: color-contrast: "},
		{"a contrast that nobody can tell", style, "p { background: linear-gradient(#fff, #000) }" + style, "color-contrast: "},
		{"too wide for a telephone", style, "p { width: 400px }" + style, "light, 360 px: it scrolls sideways"},
		{"too wide for the narrowest", style, "p { width: 330px }" + style, "320 px: it scrolls sideways"},
		{"large text is too wide", style, "p { width: 45rem }  @media (max-width: 60rem) { p { width: auto } }" + style, "text twice as large: it scrolls sideways"},
		{"large text is cut off", style, "p { height: 2rem; overflow: hidden; font-size: 1rem } main { font-size: 16px } p { height: 25px }" + style, "text twice as large: text is cut off: p"},
		{"small targets", "</form>", `</form><p style="line-height: 0">` + strings.Repeat(`<button style="padding: 0; border: 0; width: 10px; height: 10px; font-size: 5px">A</button>`, 3) + "</p>", "target-size: "},
		{"in details that are closed", "</form>", `</form><details><summary>More</summary><input></details>`, "label: "},
		{"no language", ` lang="en"`, "", "0 × html lang"},
		{"no title", "<title>Good</title>", "", "0 × title"},
		{"an empty title", "<title>Good</title>", "<title> </title>", "the title is empty"},
		{"two headings", "<p>Text", "<h1>Bad</h1><p>Text", "2 × h1"},
		{"no heading", "<h1>Good</h1>", "", "0 × h1"},
		{"no viewport", `<meta name="viewport" content="width=device-width, initial-scale=1">`, "", "0 × meta viewport"},
		{"no doctype", `<!doctype html>`, "", "there is no doctype"},
		{"the focus cannot be seen", style, "a:focus-visible { outline: 0 }" + style, "its focus cannot be seen: a"},
		{"text outside every landmark", "<main>", "<p>Lost.</p><main>", "region: "},
		{"a style sheet that is not there", style, style + `<link rel="stylesheet" href="/gone.css">`, "Refused to apply style"},
		{"an image that is not there", "<p>Text", `<img alt="" src="/gone.png"><p>Text`, "status of 404 (Not Found) http://"},
		{"an image of another origin", "<p>Text", `<img alt="" src="http://elsewhere.invalid/x.png"><p>Text`, "it asks somebody else: http://elsewhere.invalid/x.png"},
	} {
		t.Run(c.name, func(t *testing.T) {
			html := good
			if c.old != "" {
				html = strings.Replace(good, c.old, c.with, 1)
				require.NotEqual(t, good, html)
			}
			pages.list = []page{{path: "/", body: html}}
			b.write(t, "/")
			wrong := strings.Join(b.wrong(t), "\n")
			if c.want == "" {
				assert.Empty(t, wrong)
				return
			}
			assert.Contains(t, wrong, c.want)
		})
	}
}
