package gateway

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ucam-webauth/go-webauth/glue/internal/jsonlog"
)

// accessLog writes a line for each request. It is safe for concurrent use and outlives
// a reload.
type accessLog struct {
	on     atomic.Bool
	mu     sync.Mutex
	out    io.Writer // nil: off
	closer io.Closer // nil: not ours to close
	json   slog.Handler
	buf    []byte
}

// newAccessLog opens the log.
func newAccessLog(cfg Log) (*accessLog, error) {
	l := &accessLog{}
	if _, err := l.reopen(cfg); err != nil {
		return nil, err
	}
	return l, nil
}

// reopen opens the log anew, perhaps elsewhere or in another format, and gives what is to
// be closed now, or nil. On error the old one stays in use.
func (l *accessLog) reopen(cfg Log) (old io.Closer, err error) {
	out, closer, err := openLog(cfg.Access)
	if err != nil {
		return nil, fmt.Errorf("gateway: access log: %w", err)
	}
	return l.use(out, closer, cfg.Format), nil
}

// closeLog closes what reopen gave.
func closeLog(old io.Closer) error {
	if old == nil {
		return nil
	}
	return old.Close()
}

// use changes where lines go, and gives what is to be closed now.
func (l *accessLog) use(out io.Writer, closer io.Closer, format string) (old io.Closer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old = l.closer
	l.on.Store(out != nil)
	l.out, l.closer, l.json = out, closer, nil
	if format == "json" && out != nil {
		l.json = jsonlog.NewHandler(out, &slog.HandlerOptions{ReplaceAttr: withoutLevel})
	}
	return old
}

// close ends the log.
func (l *accessLog) close() error { return closeLog(l.use(nil, nil, "")) }

// openLog opens a file for lines to be added, with nothing to close for what is none.
func openLog(name string) (io.Writer, io.Closer, error) {
	switch name {
	case "off":
		return nil, nil, nil
	case "stdout", "":
		return os.Stdout, nil, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return nil, nil, err
	}
	return f, f, nil
}

// withoutLevel leaves out what is the same in all lines.
func withoutLevel(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.LevelKey {
		return slog.Attr{}
	}
	return a
}

// addresses are what a line says of a request's target and where it came from.
type addresses struct{ uri, referer string }

// write logs a request, as it came in, and its answer. The search for responses takes
// longest where a client wants it to, so nobody else waits for it.
func (l *accessLog) write(r *http.Request, o *observed) error {
	if !l.on.Load() {
		return nil
	}
	a := addresses{withoutResponse(r.RequestURI), withoutResponse(r.Referer())}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.out == nil:
		return nil
	case l.json != nil:
		return l.json.Handle(context.Background(), jsonLine(r, o, a))
	}
	l.buf = appendCombined(l.buf[:0], r, o, a)
	_, err := l.out.Write(l.buf)
	return err
}

// jsonLine has all that is known. Its names are stable.
func jsonLine(r *http.Request, o *observed, from addresses) slog.Record {
	rec := &o.record
	line := slog.NewRecord(o.start, slog.LevelInfo, "request", 0)
	line.AddAttrs(
		slog.String("client", clientOf(r, rec)),
		slog.String("method", r.Method),
		slog.String("host", r.Host),
		slog.String("uri", from.uri),
		slog.String("proto", r.Proto),
		slog.Int("status", o.finalStatus()),
		slog.Int64("bytes", o.bytes),
		slog.Float64("duration", o.duration.Seconds()),
	)
	for _, a := range [...]struct{ key, value string }{
		{"principal", rec.Principal}, {"rule", rec.Rule}, {"backend", rec.Backend}, {"ref", rec.Ref},
		{"referer", from.referer}, {"user_agent", r.UserAgent()},
	} {
		if a.value != "" {
			line.AddAttrs(slog.String(a.key, a.value))
		}
	}
	return line
}

// appendCombined writes Apache's combined format:
//
//	%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"
//
// It has no place for rule, duration and reference.
func appendCombined(b []byte, r *http.Request, o *observed, from addresses) []byte {
	b = append(b, clientOf(r, &o.record)...)
	b = append(b, " - "...)
	b = appendField(b, o.record.Principal)
	b = o.start.AppendFormat(append(b, ' '), "[02/Jan/2006:15:04:05 -0700]")
	b = appendEscaped(append(b, ` "`...), r.Method)
	b = appendEscaped(append(b, ' '), from.uri)
	b = appendEscaped(append(b, ' '), r.Proto)
	b = strconv.AppendInt(append(b, `" `...), int64(o.finalStatus()), 10)
	b = append(b, ' ')
	if o.bytes == 0 {
		b = append(b, '-')
	} else {
		b = strconv.AppendInt(b, o.bytes, 10)
	}
	b = appendField(append(b, ` "`...), from.referer)
	b = appendField(append(b, `" "`...), r.UserAgent())
	return append(b, "\"\n"...)
}

// appendField writes a value, or the sign for none.
func appendField(b []byte, s string) []byte {
	if s == "" {
		return append(b, '-')
	}
	return appendEscaped(b, s)
}

// appendEscaped escapes as Apache's ap_escape_logitem does, so that a value can
// neither end its field nor its line, nor speak to a terminal.
func appendEscaped(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= ' ' && c < 0x7f:
			b = append(b, c)
		default:
			if j := strings.IndexByte("\b\n\r\t\v", c); j >= 0 {
				b = append(b, '\\', "bnrtv"[j])
			} else {
				b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
			}
		}
	}
	return b
}

// clientOf is the client's address: as found out behind proxies, or else the other end
// of the connection.
func clientOf(r *http.Request, rec *record) string {
	if rec.Client.IsValid() {
		return rec.Client.String()
	}
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return ap.Addr().Unmap().WithZone("").String()
	}
	return "-"
}
