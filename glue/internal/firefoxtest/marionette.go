package firefoxtest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// session is a connection to Firefox's own remote protocol, Marionette: messages in JSON,
// each after its length in bytes and a colon, one answer to each command.
type session struct {
	ctx  context.Context
	conn net.Conn
	in   *bufio.Reader
	last int    // number of the last command
	tab  string // that commands are for
}

// Tab is a tab of Firefox. Tabs of one browser are for one goroutine.
type Tab struct {
	s      *session
	handle string
}

// commandTime bounds each command, beside the context.
const commandTime = 2 * time.Minute

func newSession(ctx context.Context, conn net.Conn) (*Tab, error) {
	s := &session{ctx: ctx, conn: conn, in: bufio.NewReader(conn)}
	if _, err := s.read(); err != nil { // a greeting
		return nil, err
	}
	if err := s.do("WebDriver:NewSession", map[string]any{"acceptInsecureCerts": true}, nil); err != nil {
		return nil, err
	}
	if err := s.do("WebDriver:SetTimeouts", map[string]any{"pageLoad": commandTime.Milliseconds()}, nil); err != nil {
		return nil, err
	}
	var handles []string
	if err := s.do("WebDriver:GetWindowHandles", nil, &handles); err != nil || len(handles) == 0 {
		return nil, fmt.Errorf("no tab: %w", err)
	}
	s.tab = handles[0]
	return &Tab{s, s.tab}, s.do("WebDriver:SwitchToWindow", map[string]any{"handle": s.tab}, nil)
}

// do sends a command and unmarshals the value that it returns.
func (s *session) do(name string, args map[string]any, value any) error {
	s.last++
	if args == nil {
		args = map[string]any{}
	}
	text, err := json.Marshal([]any{0, s.last, name, args})
	if err != nil {
		return err
	}
	_ = s.conn.SetDeadline(time.Now().Add(commandTime))
	stop := context.AfterFunc(s.ctx, func() { _ = s.conn.SetDeadline(time.Now()) })
	defer stop()
	if _, err := fmt.Fprintf(s.conn, "%d:%s", len(text), text); err != nil {
		return err
	}
	answer, err := s.read()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return result(name, answer, value)
}

// read reads a message.
func (s *session) read() ([]byte, error) {
	size, err := s.in.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(size, ":"))
	if err != nil {
		return nil, err
	}
	text := make([]byte, n)
	_, err = io.ReadFull(s.in, text)
	return text, err
}

// result unmarshals an answer: its kind, the command's number, an error, a value. Most values
// are members of an object, some are not.
func result(name string, answer []byte, value any) error {
	var part [4]json.RawMessage
	if err := json.Unmarshal(answer, &part); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var failed *struct{ Error, Message string }
	if err := json.Unmarshal(part[2], &failed); err != nil || failed != nil {
		return fmt.Errorf("%s: %s", name, part[2])
	}
	if value == nil {
		return nil
	}
	var member struct{ Value json.RawMessage }
	if err := json.Unmarshal(part[3], &member); err == nil && member.Value != nil {
		part[3] = member.Value
	}
	return json.Unmarshal(part[3], value)
}

// do does something in the tab.
func (t *Tab) do(name string, args map[string]any, value any) error {
	if t.s.tab != t.handle {
		if err := t.s.do("WebDriver:SwitchToWindow", map[string]any{"handle": t.handle}, nil); err != nil {
			return err
		}
		t.s.tab = t.handle
	}
	return t.s.do(name, args, value)
}

// Open opens a URL, as if it was typed.
func (t *Tab) Open(url string) error {
	return t.do("WebDriver:Navigate", map[string]any{"url": url}, nil)
}

// Eval unmarshals the value of a JavaScript expression in the page that is shown; a promise
// is waited for.
func (t *Tab) Eval(expression string, value any) error {
	script := "const done = arguments[0]; Promise.resolve(" + expression + ").then(done, e => done('failed: ' + e))"
	return t.do("WebDriver:ExecuteAsyncScript", map[string]any{"script": script, "args": []any{}, "newSandbox": true}, value)
}

// NewTab opens another tab.
func (t *Tab) NewTab() (*Tab, error) {
	var opened struct{ Handle string }
	err := t.do("WebDriver:NewWindow", map[string]any{"type": "tab"}, &opened)
	return &Tab{t.s, opened.Handle}, err
}
