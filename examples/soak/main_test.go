package main

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAShortSoakIsClean(t *testing.T) {
	var out, errs bytes.Buffer
	code := program(&options{}).Start(t.Context(), []string{"-users", "40", "-for", "3s", "-think", "100ms"}, &out, &errs)
	t.Log(out.String())
	require.Equal(t, 0, code, errs.String())
	assert.Contains(t, out.String(), "identity mix-ups           0")
	assert.NotContains(t, out.String(), "FAULT")
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"-users", "0"}, {"-for", "-1s"}, {"-speed", "0"}, {"left over"}, {"-nonsense"}} {
		var out, errs bytes.Buffer
		assert.Equal(t, 2, program(&options{}).Start(context.Background(), args, &out, &errs), args)
		assert.NotEmpty(t, errs.String(), args)
	}
}

// A soak that overlooks a mix-up would be worse than none.
func TestMixUpsAndFaultsFailTheReport(t *testing.T) {
	good := outcome{status: 200, page: true, atSite: true, name: "a", want: "a"}
	for _, tc := range []struct {
		name string
		with func(*stats)
		want bool
	}{
		{"all well", func(*stats) {}, true},
		{"somebody else's name", func(s *stats) {
			s.visit(outcome{status: 200, page: true, atSite: true, name: "b", want: "a"})
		}, false},
		{"an error of the server", func(s *stats) { s.visit(outcome{status: 500, page: true, atSite: true}) }, false},
		{"a fault of the client", func(s *stats) { s.fault("connection refused") }, false},
		{"nobody logged in", func(s *stats) { s.logins = 0 }, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStats()
			s.ended = s.began.Add(time.Second)
			s.logins = 1
			s.visit(good)
			tc.with(s)
			var out bytes.Buffer
			assert.Equal(t, tc.want, s.report(&out, process{}, process{}))
		})
	}
}
