package main

import (
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// maxText is more than any response needs, however it is encoded.
const maxText = 64 << 10

// readText returns the RESPONSE argument, or standard input where that is "-".
func readText(arg string, stdin io.Reader, stderr io.Writer) (string, error) {
	if arg == "-" {
		data, err := program.ReadInput(stdin, stderr, "a response, or the URL that has it", maxText)
		if err != nil {
			return "", err
		}
		arg = string(data)
	}
	if len(arg) > maxText {
		return "", fmt.Errorf("RESPONSE is longer than %d bytes", maxText)
	}
	return arg, nil
}

// finder finds the value of WLS-Response in what people paste. It changes nothing inside of a
// raw value, which is what is signed.
type finder struct{ notes []string } // what it had to do for that

func (f *finder) note(text string) {
	if !slices.Contains(f.notes, text) {
		f.notes = append(f.notes, text)
	}
}

// find returns the value.
func (f *finder) find(text string) (string, error) {
	if text = unwrap(text); text == "" {
		return "", errors.New("nothing was given: give the value of " + param + ", or the URL that the browser was sent back to")
	}
	if strings.Contains(text, param+"=3D") {
		if data, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(text))); err == nil {
			text = string(data)
			f.note("it was read as quoted-printable, as it stands in the source of a mail")
		}
	}
	if strings.ContainsAny(text, "\r\n") {
		joined := finder{notes: append(slices.Clone(f.notes), "the line breaks in it were taken out")}
		if value, err := joined.extract(lineBreaks.ReplaceAllString(text, "")); err == nil && isResponse(value) {
			f.notes = joined.notes
			return value, nil
		}
	}
	return f.extract(text)
}

const param = webauth.ResponseParam

// lineBreaks are those that mail programs put in, with blanks and marks of a quotation.
var lineBreaks = regexp.MustCompile(`[ \t]*[\r\n]+[> \t]*`)

func isResponse(value string) bool {
	_, err := webauth.ParseResponse(value)
	return err == nil
}

// marks are put around what is quoted in a text.
var marks = [][2]string{{`"`, `"`}, {"'", "'"}, {"`", "`"}, {"<", ">"}, {"(", ")"}, {"“", "”"}, {"‘", "’"}}

// unwrap removes blanks and marks of quotation around it.
func unwrap(text string) string {
	text = strings.TrimSpace(text)
	for _, m := range marks {
		if inner, ok := strings.CutPrefix(text, m[0]); ok {
			if inner, ok = strings.CutSuffix(inner, m[1]); ok {
				return unwrap(inner)
			}
		}
	}
	return text
}

// extract returns the value from any of the forms in the help. No text has two of them: a raw
// value begins with a digit, a URL with its scheme, what has a text around it names the
// parameter, and only a percent-encoded value is without "!".
func (f *finder) extract(text string) (string, error) {
	raw, named := cutParam(text)
	switch {
	case isURL(text):
		return f.fromURL(text)
	case named && isRaw(raw): // as developers' tools of browsers show it
		return raw, nil
	case isRaw(text):
		return text, nil
	case strings.Contains(text, param+"="):
		return f.fromAround(text)
	case isRequest(text):
		return "", errRequest
	case strings.Contains(text, "!"):
		return text, nil
	}
	return f.decode(text)
}

var errRequest = errors.New("this is what a site sends people to the login service with, not its answer: " +
	"give the URL that the browser comes back to, which holds " + param)

// cutParam removes the parameter's name before its value.
func cutParam(text string) (value string, ok bool) {
	if value, ok = strings.CutPrefix(text, param); !ok {
		return text, false
	}
	value = strings.TrimLeft(value, " \t")
	if value == "" || value[0] != '=' && value[0] != ':' {
		return text, false
	}
	return strings.TrimLeft(value[1:], " \t"), true
}

// isRaw reports whether a text begins as a raw value does.
func isRaw(text string) bool {
	return len(text) > 1 && text[0] >= '0' && text[0] <= '9' && text[1] == '!'
}

func isURL(text string) bool {
	scheme, _, found := strings.Cut(text, "://")
	return found && !strings.ContainsAny(text, " \t\r\n") && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// isRequest reports whether a text has the parameters of a request to a login service.
func isRequest(text string) bool {
	_, query, _ := strings.Cut(text, "?")
	q, err := url.ParseQuery(query)
	return err == nil && q.Has("ver") && q.Has("url")
}

func (f *finder) fromURL(text string) (string, error) {
	address, _, _ := strings.Cut(text, "#")
	_, query, _ := strings.Cut(f.unescapeHTML(address), "?")
	value, found, err := webauth.ResponseFrom(query)
	switch {
	case err != nil:
		return "", err
	case found:
		return f.decodeAgain(value)
	case isRequest(text):
		return "", errRequest
	case strings.Contains(text, param+"%3D"), strings.Contains(text, param+"%253D"):
		return "", errors.New("the URL holds " + param + " in a URL inside of it: give that one, as the browser's address bar shows it")
	}
	return "", errors.New("the URL holds no " + param)
}

// unescapeHTML takes a URL out of the source of a page.
func (f *finder) unescapeHTML(text string) string {
	if strings.Contains(text, "&amp;") {
		f.note("&amp;, as HTML writes &, was read as &")
	}
	return strings.ReplaceAll(text, "&amp;", "&")
}

// startsOfParam matches the parameter's name where it is not the end of another one's.
var startsOfParam = regexp.MustCompile(`(?:^|[^0-9A-Za-z_.~-])` + regexp.QuoteMeta(param) + "=")

// fromAround returns the value of a parameter in a text, such as a line of a log.
func (f *finder) fromAround(text string) (string, error) {
	var all []string
	around := f.unescapeHTML(text)
	for _, at := range startsOfParam.FindAllStringIndex(around, -1) {
		rest := around[at[1]:]
		if i := strings.IndexAny(rest, " \t\r\n\"'`<>#\\"); i >= 0 {
			rest = rest[:i]
		}
		rest, others, _ := strings.Cut(rest, "&")
		if strings.Contains("&"+others, "&"+param+"=") {
			return "", errors.New(param + " stands more than once in one query: a site refuses that")
		}
		if !slices.Contains(all, rest) {
			all = append(all, rest)
		}
	}
	switch len(all) {
	case 0:
		return "", errors.New("it holds no " + param + ", but for the end of another parameter's name")
	case 1:
	default:
		return "", fmt.Errorf("there are %d different values of %s in it: give one of them", len(all), param)
	}
	if text != param+"="+all[0] {
		f.note("it was taken out of the text around it")
	}
	return f.decode(all[0])
}

// decode decodes a percent-encoded value.
func (f *finder) decode(text string) (string, error) {
	value, err := url.QueryUnescape(text)
	if err != nil {
		return "", errors.New("bad percent-encoding")
	}
	return f.decodeAgain(value)
}

// decodeAgain decodes what was percent-encoded twice: a raw value has "!".
func (f *finder) decodeAgain(value string) (string, error) {
	if strings.Contains(value, "!") || !strings.Contains(value, "%21") {
		return value, nil
	}
	f.note("it was percent-encoded twice: a site that gets it so refuses it")
	return f.decode(value)
}
