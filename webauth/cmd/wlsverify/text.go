package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// maxText is more than any response needs, however it is encoded.
const maxText = 64 << 10

// readText returns the RESPONSE argument, or standard input where that is "-", without
// the white space around it.
func readText(arg string, stdin io.Reader) (string, error) {
	if arg == "-" {
		data, err := io.ReadAll(io.LimitReader(stdin, maxText+1))
		if err != nil {
			return "", fmt.Errorf("standard input: %v", err)
		}
		arg = string(data)
	}
	if len(arg) > maxText {
		return "", fmt.Errorf("RESPONSE is longer than %d bytes", maxText)
	}
	return strings.TrimSpace(arg), nil
}

// valueOf returns the value of WLS-Response from any of the forms in the help. No text has
// two of them: a raw value begins with a digit, a URL with its scheme, and
// only a percent-encoded value is without "!". A raw value is never decoded, because
// the %21 and %25 in it belong to the protocol.
func valueOf(text string) (string, error) {
	switch {
	case isURL(text):
		address, _, _ := strings.Cut(text, "#")
		_, query, _ := strings.Cut(address, "?")
		value, found, err := webauth.ResponseFrom(query)
		if err == nil && !found {
			err = errors.New("the URL holds no " + webauth.ResponseParam)
		}
		return value, err
	case strings.Contains(text, "!"):
		return text, nil
	default:
		value, err := url.QueryUnescape(text)
		if err != nil {
			return "", errors.New("bad percent-encoding")
		}
		return value, nil
	}
}

func isURL(text string) bool {
	scheme, _, found := strings.Cut(text, "://")
	return found && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}
