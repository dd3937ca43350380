package cli

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFinish(t *testing.T) {
	const hint = "Run 'prog -help' for help.\n"
	for _, row := range []struct {
		name           string
		err            error
		status         int
		stdout, stderr string
	}{
		{"done", nil, ExitOK, "", ""},
		{"help", flag.ErrHelp, ExitOK, "the help\n", ""},
		{"version", errVersion, ExitOK, "prog " + Version() + "\n", ""},
		{"wrong usage", Usagef("which %s?", "file"), ExitUsage, "", "prog: which file?\n" + hint},
		{"wrong usage twice", errors.Join(Usagef("a"), Usagef("b")), ExitUsage, "", "prog: a\nprog: b\n" + hint},
		{"failure", errors.New("no such file"), ExitFailed, "", "prog: no such file\n"},
		{"two failures", errors.New("a\nb"), ExitFailed, "", "prog: a\nprog: b\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, row.status, Program{"prog", "the help\n"}.Finish(row.err, &stdout, &stderr))
			assert.Equal(t, row.stdout, stdout.String())
			assert.Equal(t, row.stderr, stderr.String())
		})
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestHelpThatCannotBeWritten(t *testing.T) {
	var stderr bytes.Buffer
	assert.Equal(t, ExitFailed, Program{Name: "prog"}.Finish(flag.ErrHelp, full{}, &stderr))
	assert.Equal(t, "prog: no space left\n", stderr.String())
}

func TestCommand(t *testing.T) {
	for _, row := range []struct {
		args    string
		command string
		rest    []string
		err     string
	}{
		{"show a b", "show", []string{"a", "b"}, ""},
		{"Show", "show", []string{}, ""},
		{"", "", nil, "which command? There are list, show"},
		{"shwo a", "", nil, `command "shwo" is none of list, show: did you mean "show"?`},
		{"-help", "", nil, flag.ErrHelp.Error()},
		{"--version", "", nil, errVersion.Error()},
	} {
		command, rest, err := Command(strings.Fields(row.args), "list", "show")
		assert.Equal(t, row.command, command, row.args)
		assert.Equal(t, row.rest, rest, row.args)
		if row.err != "" {
			assert.EqualError(t, err, row.err)
		} else {
			assert.NoError(t, err)
		}
	}
}

func TestParse(t *testing.T) {
	for _, row := range []struct {
		args   string
		others []string
		x      string
		err    string
	}{
		{"", nil, "", ""},
		{"a -x 1 b", []string{"a", "b"}, "1", ""},
		{"a -x 1 -- -b -x 2", []string{"a", "-b", "-x", "2"}, "1", ""},
		{"-- -x", []string{"-x"}, "", ""},
		{"a --", []string{"a"}, "", ""},
		{"- -x=1", []string{"-"}, "1", ""},
		{"a -help", nil, "", flag.ErrHelp.Error()},
		{"a -h", nil, "", flag.ErrHelp.Error()},
		{"a --version", nil, "", errVersion.Error()},
		{"-versoin", nil, "", "there is no option -versoin: did you mean -version?"},
		{"a --q", nil, "", "there is no option -q"},
		{"a -x", nil, "", "flag needs an argument: -x"},
	} {
		flags := Flags("prog")
		x := flags.String("x", "", "")
		others, err := Parse(flags, strings.Fields(row.args))
		if row.err != "" {
			assert.EqualError(t, err, row.err, row.args)
			continue
		}
		require.NoError(t, err, row.args)
		assert.Equal(t, row.others, others, row.args)
		assert.Equal(t, row.x, *x, row.args)
	}
}

func TestDefaults(t *testing.T) {
	flags := Flags("prog")
	flags.Int("n", 3, "how `many`")
	text := Defaults(flags)
	assert.Contains(t, text, "  -n many\n    \thow many (default 3)\n")
	assert.Contains(t, text, "  -version\n")
}

func TestDescribe(t *testing.T) {
	at := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: version}, Settings: settings}
	}
	assert.Equal(t, "v1.2.3, go1.26.8", describe(at("v1.2.3")))
	assert.Equal(t, "(devel), go1.26.8", describe(at("")))
	assert.Equal(t, "v0.1.0+dirty, revision abc, go1.26.8",
		describe(at("v0.1.0+dirty", debug.BuildSetting{Key: "vcs", Value: "git"}, debug.BuildSetting{Key: "vcs.revision", Value: "abc"})))
}

func TestWriteJSON(t *testing.T) {
	var stdout bytes.Buffer
	assert.NoError(t, WriteJSON(&stdout, map[string]string{"url": "https://soc.example/?a=<b>&c"}))
	assert.Equal(t, "{\n  \"url\": \"https://soc.example/?a=<b>&c\"\n}\n", stdout.String())
	assert.Error(t, WriteJSON(full{}, 1))
}

// A device other than /dev/null is where somebody may sit.
func TestReadInput(t *testing.T) {
	p := Program{Name: "prog"}
	for _, row := range []struct{ file, asks string }{
		{"/dev/zero", "prog: paste a key here, then press Enter and Ctrl-D.\n"}, {os.DevNull, ""}, {"cli_test.go", ""},
	} {
		f, err := os.Open(row.file)
		require.NoError(t, err)
		defer f.Close()
		var stderr bytes.Buffer
		data, err := p.ReadInput(f, &stderr, "a key", 9)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(data), 10)
		assert.Equal(t, row.asks, stderr.String(), row.file)
	}
	data, err := p.ReadInput(strings.NewReader("0123456789abc"), nil, "a key", 9)
	require.NoError(t, err)
	assert.Equal(t, "0123456789", string(data))
}
