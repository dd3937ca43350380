package words_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/keys/words"
)

func TestDuration(t *testing.T) {
	for _, row := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0 seconds"},
		{60, "60 nanoseconds"},
		{1500 * time.Microsecond, "1 millisecond 500 microseconds"},
		{time.Second, "1 second"},
		{12 * time.Second, "12 seconds"},
		{time.Minute, "1 minute"},
		{90 * time.Second, "1 minute 30 seconds"},
		{3*time.Hour + 20*time.Minute, "3 hours 20 minutes"},
		{3*time.Hour + 20*time.Minute + 59*time.Second, "3 hours 20 minutes"},
		{24 * time.Hour, "1 day"},
		{24*time.Hour + time.Second, "1 day 1 second"}, // which is more than a day
		{90 * 24 * time.Hour, "90 days"},
		{-5 * time.Second, "minus 5 seconds"},
		{-(3*time.Hour + 20*time.Minute + time.Second), "minus 3 hours 20 minutes"},
		{math.MaxInt64, "106751 days 23 hours"},
		{math.MinInt64, "minus 106751 days 23 hours"},
	} {
		assert.Equal(t, row.want, words.Duration(row.d), int64(row.d))
	}
	assert.Equal(t, "12 seconds", words.Ago(12*time.Second+345*time.Millisecond))
	assert.Equal(t, "0 seconds", words.Ago(time.Millisecond))
}

func TestName(t *testing.T) {
	services := []string{"raven", "raven-demo", "nevar", "goose"}
	for _, row := range []struct{ meant, name, problem string }{
		{"raven", "raven", ""},
		{"Raven", "raven", ""},
		{"RAVEN-Demo", "raven-demo", ""},
		{"ravne", "", `"ravne" is none of raven, raven-demo, nevar, goose: did you mean "raven"?`},
		{"raven_demo", "", `"raven_demo" is none of raven, raven-demo, nevar, goose: did you mean "raven-demo"?`},
		{"ravendmo", "", `"ravendmo" is none of raven, raven-demo, nevar, goose: did you mean "raven-demo"?`},
		{"eduroam", "", `"eduroam" is none of raven, raven-demo, nevar, goose`},
		{"", "", `"" is none of raven, raven-demo, nevar, goose`},
		{strings.Repeat("x", 40), "", `"` + strings.Repeat("x", 40) + `" is none of raven, raven-demo, nevar, goose`},
	} {
		name, err := words.Name(row.meant, services...)
		assert.Equal(t, row.name, name, row.meant)
		if row.problem == "" {
			assert.NoError(t, err)
		} else {
			assert.EqualError(t, err, row.problem)
		}
	}
}

// Of several that a name resembles, it is the nearest, not the first.
func TestNearest(t *testing.T) {
	assert.Equal(t, "body-rate", words.Nearest("body_rat", []string{"body-grace", "body-rate", "body-bytes"}))
	assert.Equal(t, "idle-timeout", words.Nearest("IdleTimout", []string{"dial-timeout", "idle-timeout"}))
	assert.Empty(t, words.Nearest("x", nil))
}
