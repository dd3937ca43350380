package manual_test

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/gateway"
	"github.com/ucam-webauth/go-webauth/glue/internal/manual"
)

const root = "../../.."

// docsOf returns what is said of each key, by its name from the top.
func docsOf(t *manual.Table, prefix string) map[string]string {
	all := map[string]string{}
	for _, k := range t.Keys {
		doc := k.Doc
		for _, v := range k.Values {
			doc += "\n" + v.Name + ": " + v.Doc
		}
		all[prefix+k.Name] = doc
		if k.Table != nil {
			maps.Copy(all, docsOf(k.Table, prefix+k.Name+"."))
		}
	}
	return all
}

func TestRead_words(t *testing.T) {
	table, err := manual.Read("testdata", "words", "Config")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"base-url":  "base-url is where the site is. See also front, and inner.max-life of inner.",
		"front":     "front, header and max-bytes are explained at once. header is first, max-bytes last.",
		"header":    "",
		"max-bytes": "",
		"path": "path is a path, as in \"Path = /\". The Path attribute and the Host header are of HTTP, and\n" +
			"so is X-Front. Front is a word here; and front a key. Without max-bytes there is none.",
		"inner":          "inner is a table.",
		"inner.max-life": "max-life is not less than base-url.",
		"rule":           "rule are tables.",
		"rule.kind":      "kind is open or shut. Open is a word here, and so is Optional.\nopen: \"open\" lets in, as path says.\nshut: \"shut\" does not, as \"open\" does.",
		"names":          "names are up to the operator.",
		"life":           "how long, as inner.max-life of the rule's max-life",
	}, docsOf(table, ""))
	for _, row := range [][3]string{
		{"words", "Nothing", "there is no type Nothing"},
		{"words", "Kind", "Kind is no struct"},
		{"nowhere", "Config", "there is no package"},
	} {
		_, err := manual.Read("testdata", row[0], row[1])
		assert.ErrorContains(t, err, row[2])
	}
}

// TestRead_gateway compares the keys with those that package gateway reads.
func TestRead_gateway(t *testing.T) {
	table, err := manual.Read(root, "glue/gateway", "Config")
	require.NoError(t, err)
	assert.Equal(t, slices.Sorted(maps.Keys(keysOf(reflect.TypeFor[gateway.Config](), ""))), slices.Sorted(maps.Keys(docsOf(table, ""))))
}

func keysOf(t reflect.Type, prefix string) map[string]bool {
	all := map[string]bool{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("toml"), ",")
		if name == "" || name == "-" {
			continue
		}
		all[prefix+name] = true
		inner := t.Field(i).Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner.PkgPath() != "net/netip" {
			maps.Copy(all, keysOf(inner, prefix+name+"."))
		}
	}
	return all
}

// ofGo is what an operator cannot know: names of packages and of fields.
var ofGo = regexp.MustCompile(`\b(?:[a-z]\w*\.[A-Z]\w*|[A-Z][a-z]+[A-Z]\w*|(?:Base|Auth|Logout|Redis)URL)\b`)

// notOfGo are names of other things that look so.
var notOfGo = []string{"OpenID", "WebSocket", "WebSockets", "RabbitMQ", "GitLab", "CRSids", "AAHeaderKey", "LoadCredential", "SameSite", "KiB"}

// TestEveryKeyIsExplained holds for all configurations.
func TestEveryKeyIsExplained(t *testing.T) {
	for _, dir := range []string{"glue/gateway", "glue/wlsbridge/cmd/wlsbridge"} {
		table, err := manual.Read(root, dir, "Config")
		require.NoError(t, err)
		requireExplained(t, dir, table, "")
		for key, doc := range docsOf(table, "") {
			for _, found := range ofGo.FindAllString(doc, -1) {
				assert.Contains(t, notOfGo, found, "%s: %s: %s", dir, key, doc)
			}
		}
	}
}

// requireExplained wants a comment at each key, or that the one before speaks of it.
func requireExplained(t *testing.T, dir string, table *manual.Table, prefix string) {
	last := ""
	for _, k := range table.Keys {
		if k.Doc != "" {
			last = k.Doc
		}
		assert.Regexp(t, `(?:^|\W)`+regexp.QuoteMeta(k.Name)+`(?:\W|$)`, last, "%s: %s%s is not explained", dir, prefix, k.Name)
		if k.Table != nil {
			requireExplained(t, dir, k.Table, prefix+k.Name+".")
		}
	}
}
