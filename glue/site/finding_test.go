package site_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

func TestFindingsAsText(t *testing.T) {
	for want, f := range map[string]site.Finding{
		"note: Skew: x":                    {Severity: site.SeverityNote, Key: "Skew", Text: "x"},
		"error: x":                         {Severity: site.SeverityError, Text: "x"},
		"error: MaxLife is 1s":             {Severity: site.SeverityError, Key: "MaxLife", Text: "is 1s"},
		"warning: Hosts: isolated":         {Severity: site.SeverityWarning, Key: "Hosts", Text: "isolated"},
		"a.toml:3:1: error: rule[2].to: x": {Severity: site.SeverityError, Key: "rule[2].to", Place: "a.toml:3:1", Text: "x"},
	} {
		assert.Equal(t, want, f.String())
	}
}

func TestConfigErrorKeepsFindings(t *testing.T) {
	var found site.Findings
	found.Notef("A", "x")
	require.NoError(t, found.Err("site: Config."))
	found.Errorf("B", "is %d", 1)
	found.Warnf("C", "y")
	found.Errorf("", "z")
	err := found.Err("site: Config.")
	require.EqualError(t, err, "site: Config.B is 1\nsite: Config: z")
	var config *site.ConfigError
	require.True(t, errors.As(err, &config))
	assert.Equal(t, []site.Finding{{Severity: site.SeverityError, Key: "B", Text: "is 1"}, {Severity: site.SeverityError, Text: "z"}}, config.Findings)
	var keys []string
	for _, f := range found.Sorted() {
		keys = append(keys, f.Key)
	}
	assert.Equal(t, []string{"B", "", "C", "A"}, keys)
}
