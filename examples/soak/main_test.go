package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	if spec := os.Getenv(machineVariable); spec != "" {
		os.Exit(runMachine(spec))
	}
	os.Exit(m.Run())
}

func TestAShortSoakIsClean(t *testing.T) {
	var out, errs bytes.Buffer
	o := &options{enough: func(s *soak) bool {
		s.stats.mu.Lock()
		defer s.stats.mu.Unlock()
		return s.stats.logins > 0 && s.stats.served > 0
	}}
	code := program(o).Start(t.Context(), []string{"-users", "40", "-for", "3s", "-think", "100ms"}, &out, &errs)
	t.Log(out.String())
	require.Equal(t, 0, code, errs.String())
	assert.Contains(t, out.String(), "identity mix-ups           0")
	assert.NotContains(t, out.String(), "FAULT")
}

func TestUsage(t *testing.T) {
	const fleet = "-machines 2 -redis single "
	for _, row := range []struct{ args, want string }{
		{"-users 0", "must be positive"},
		{"-for -1s", "must be positive"},
		{"-speed 0", "must be positive"},
		{"left over", `unexpected argument "left"`},
		{"-nonsense", "there is no option -nonsense"},
		{"-redis single", "-redis is for a site of several machines: say -machines 2"},
		{"-kill redis", "-kill is for"},
		{"-postgres start", "-postgres is for"},
		{"-machines 1 -redis single", "-machines must be 2 to 16"},
		{"-machines 0 -redis single", "-machines must be 2 to 16"},
		{"-machines 2", "-machines needs -redis"},
		{fleet + "-speed 20", "-speed must be 1"},
		{fleet + "-kill machine -for 10s", "-every must be"},
		{fleet + "-kill everything", `not "everything"`},
		{fleet + "-kill redis,", `not ""`},
		{fleet + "-kill postgres", "say -postgres start"},
		{"-machines 2 -redis redis://127.0.0.1 -kill redis", "say -redis single, sentinel or cluster"},
	} {
		t.Run(row.args, func(t *testing.T) {
			var out, errs bytes.Buffer
			assert.Equal(t, 2, program(&options{}).Start(t.Context(), strings.Fields(row.args), &out, &errs))
			assert.Contains(t, errs.String(), row.want)
		})
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
		{"a login that was cancelled", func(s *stats) {
			s.visit(outcome{status: 200, page: true, atSite: true, cancelled: true, name: "<!doctype html>", want: "a"})
		}, true},
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
