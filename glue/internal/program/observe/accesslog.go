package observe

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

// AccessLog writes a line for each request. It is safe for concurrent use and outlives
// a reload.
type AccessLog struct {
	on     atomic.Bool
	mu     sync.Mutex
	out    io.Writer // nil: off
	closer io.Closer // nil: not ours to close
	json   slog.Handler
	buf    []byte

	program string // begins the lines of the other log
}

// The values of Log.Access that are no file, and those of Log.Format.
const (
	Stdout = "stdout"
	Off    = "off"

	Combined = "combined"
	JSON     = "json"
)

// NewAccessLog opens a log: a file, Stdout or Off. What a program such as "wls gateway" says
// in another log begins with its name.
func NewAccessLog(program, access, format string) (*AccessLog, error) {
	l := &AccessLog{program: program}
	if err := l.Reopen(access, format, nil); err != nil {
		return nil, err
	}
	return l, nil
}

// Reopen opens the log anew, perhaps elsewhere or in another format. On error the old one
// stays in use. That the old one cannot be closed is logged, and no error: the new one is in
// use by then.
func (l *AccessLog) Reopen(access, format string, log *slog.Logger) error {
	var out io.Writer
	var closer io.Closer
	switch access {
	case Off:
	case Stdout, "":
		out = os.Stdout
	default:
		f, err := os.OpenFile(access, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
		if err != nil {
			return fmt.Errorf("access log: %w", err)
		}
		out, closer = f, f
	}
	if err := l.use(out, closer, format); err != nil {
		log.Warn(l.program+": closing the old access log", "error", err)
	}
	return nil
}

// use changes where lines go, and closes what they went to.
func (l *AccessLog) use(out io.Writer, closer io.Closer, format string) error {
	l.mu.Lock()
	old := l.closer
	l.on.Store(out != nil)
	l.out, l.closer, l.json = out, closer, nil
	if format == JSON && out != nil {
		l.json = jsonlog.NewHandler(out, &slog.HandlerOptions{ReplaceAttr: withoutLevel})
	}
	l.mu.Unlock()
	if old == nil {
		return nil
	}
	return old.Close()
}

// Close ends the log.
func (l *AccessLog) Close() error { return l.use(nil, nil, "") }

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
func (l *AccessLog) write(r *http.Request, o *observed) error {
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
func clientOf(r *http.Request, rec *Record) string {
	if rec.Client.IsValid() {
		return rec.Client.String()
	}
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return ap.Addr().Unmap().WithZone("").String()
	}
	return "-"
}
