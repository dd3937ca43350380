package wls

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Request is a parsed authentication request (WAA2WLS, "Authentication request").
// Empty fields were absent or empty.
type Request struct {
	// Ver is the protocol version of the request, 1 to 3; 0 if it is unknown.
	Ver int
	// URL is where the person is to come back to: absolute, http or https, as the site wrote
	// it. That is what a response holds, byte for byte; it may have characters outside ASCII,
	// which [ReturnURL] encodes. See Complaint.
	URL string
	// Desc says what is asking and Msg why: printable ASCII which may hold HTML
	// character references. Only < and > are to be escaped for display.
	Desc, Msg string
	// Params is to be returned unaltered.
	Params string
	// AAuth lists the acceptable authentication types; nil accepts any.
	AAuth []string
	// IAct is "yes", "no" or empty.
	IAct string
	// Date is the site's clock, to the second, in UTC; zero where it sent none.
	Date time.Time
	// Fail asks for a page of the service's own on any failure.
	Fail bool
	// Skew is deprecated and without effect.
	Skew string
}

// RequestError is the reason why a request is refused, and the status to answer with.
type RequestError struct {
	Status int    // StatusVersion or StatusRequest
	Msg    string // printable ASCII, fit for the response's msg
}

func (e *RequestError) Error() string {
	return fmt.Sprintf("wls: request refused with status %d: %s", e.Status, e.Msg)
}

// maxQuery bounds a request. Sites keep the whole URL under 2 KiB; this leaves room
// for those that escape more than they must.
const maxQuery = 8 << 10

// timeLayout is the protocol's form of a time, always in UTC.
const timeLayout = "20060102T150405Z"

var (
	authType  = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	plainName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)
)

// parameters are all the names there are, in the order Encode writes them.
var parameters = [...]string{"ver", "url", "desc", "aauth", "iact", "msg", "params", "date", "skew", "fail"}

// ParseRequest parses the raw query of a request; parameters in a body do not count.
// It refuses repeated and unknown parameters, ";" as a separator, and more than 8 KiB.
//
// The error is a [*RequestError]. The request is returned even then, as far as it is
// needed to answer: URL, Params and Fail where they were usable, and Ver. An empty URL
// means that the browser cannot be sent back and needs a page of the service's own.
func ParseRequest(rawQuery string) (*Request, error) {
	r := &Request{}
	values, refusal := splitQuery(rawQuery)
	if e := r.readAnswerable(values); e != nil && (refusal == nil || e.Status == StatusVersion) {
		// A service that does not know the version cannot judge anything else.
		refusal = e
	}
	if refusal == nil {
		refusal = r.readRest(values)
	}
	if refusal != nil {
		return r, refusal
	}
	return r, nil
}

// splitQuery returns the parameters that came exactly once and well encoded, and the
// first reason to refuse the request.
func splitQuery(rawQuery string) (map[string]string, *RequestError) {
	values := make(map[string]string)
	if len(rawQuery) > maxQuery {
		return values, badRequest("request longer than %d bytes", maxQuery)
	}
	if strings.Contains(rawQuery, ";") {
		// Some take it for a separator, others for data: no parameter is certain.
		return values, badRequest("unescaped ';' in the query")
	}
	if rawQuery == "" { // which has no parameter, rather than one with an empty name
		return values, nil
	}
	var first *RequestError
	refuse := func(format string, args ...any) {
		if first == nil {
			first = badRequest(format, args...)
		}
	}
	seen := make(map[string]bool)
	for pair := range strings.SplitSeq(rawQuery, "&") {
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil || !slices.Contains(parameters[:], name) {
			refuse("unknown parameter%s", quoted(name))
			continue
		}
		if seen[name] {
			refuse("parameter '%s' given more than once", name)
			delete(values, name)
			continue
		}
		seen[name] = true
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			refuse("bad percent-encoding in parameter '%s'", name)
			continue
		}
		values[name] = value
	}
	return values, first
}

// readAnswerable reads what an answer needs, a refusal included.
func (r *Request) readAnswerable(values map[string]string) *RequestError {
	r.Fail = values["fail"] == "yes"
	if params := values["params"]; !hasControl(params) {
		r.Params = params
	}
	urlErr := checkURL(values["url"])
	if urlErr == nil {
		r.URL = values["url"]
	}
	switch ver := values["ver"]; {
	case ver == "":
		return badRequest("missing required parameter 'ver'")
	case ver != "1" && ver != "2" && ver != "3":
		return &RequestError{Status: StatusVersion, Msg: "unsupported protocol version"}
	default:
		r.Ver = int(ver[0] - '0')
	}
	switch {
	case values["url"] == "":
		return badRequest("missing required parameter 'url'")
	case urlErr != nil:
		return badRequest("parameter 'url' %v", urlErr)
	}
	return nil
}

// readRest reads the optional parameters.
func (r *Request) readRest(values map[string]string) *RequestError {
	for _, name := range [...]string{"desc", "msg", "skew"} {
		if !isPrintable(values[name]) {
			return badRequest("parameter '%s' is not printable ASCII", name)
		}
	}
	r.Desc, r.Msg, r.Skew = values["desc"], values["msg"], values["skew"]
	if hasControl(values["params"]) {
		return badRequest("parameter 'params' holds a control character")
	}
	if aauth := values["aauth"]; aauth != "" {
		r.AAuth = strings.Split(aauth, ",")
	}
	for _, t := range r.AAuth {
		if !authType.MatchString(t) {
			return badRequest("parameter 'aauth' is not a list of authentication types")
		}
	}
	switch r.IAct = values["iact"]; r.IAct {
	case "", "yes", "no":
	default:
		return badRequest("parameter 'iact' is neither 'yes' nor 'no'")
	}
	if fail := values["fail"]; fail != "" && fail != "yes" {
		return badRequest("parameter 'fail' is not 'yes'")
	}
	return r.readDate(values["date"])
}

func (r *Request) readDate(s string) *RequestError {
	if s == "" {
		return nil
	}
	date, err := time.Parse(timeLayout, s)
	// Formatting back refuses what time.Parse lets through, such as fractions.
	if err != nil || date.Format(timeLayout) != s {
		return badRequest("parameter 'date' is not of the form YYYYMMDDThhmmssZ")
	}
	r.Date = date
	return nil
}

// Complaint returns what is wrong about a request that is answered all the same; empty if
// nothing is. Sites made with Flask send the address of the page as people read it (an IRI, RFC
// 3987), with characters outside ASCII that no URL has, and the services in use accept it.
func (r Request) Complaint() string {
	if isPrintable(r.URL) {
		return ""
	}
	return "parameter 'url' has characters outside ASCII: the site should percent-encode them"
}

// Encode returns the request as a query that [ParseRequest] parses. It checks
// nothing, so that tests can send requests which break the protocol.
func (r Request) Encode() string {
	values := map[string]string{
		"url": r.URL, "desc": r.Desc, "aauth": strings.Join(r.AAuth, ","), "iact": r.IAct,
		"msg": r.Msg, "params": r.Params, "skew": r.Skew,
	}
	if r.Ver != 0 {
		values["ver"] = fmt.Sprint(r.Ver)
	}
	if !r.Date.IsZero() {
		values["date"] = r.Date.UTC().Format(timeLayout)
	}
	if r.Fail {
		values["fail"] = "yes"
	}
	var pairs []string
	for _, name := range parameters {
		if v := values[name]; v != "" {
			pairs = append(pairs, name+"="+escapeQuery(v, false))
		}
	}
	return strings.Join(pairs, "&")
}

func badRequest(format string, args ...any) *RequestError {
	return &RequestError{Status: StatusRequest, Msg: fmt.Sprintf(format, args...)}
}

// quoted repeats a name only where it is harmless in a msg, a log and a URL.
func quoted(name string) string {
	if !plainName.MatchString(name) {
		return ""
	}
	return " '" + name + "'"
}
