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
)

// accessLog writes a line for each request. It is safe for concurrent use and outlives
// a reload.
type accessLog struct {
	mu     sync.Mutex
	out    io.Writer // nil: off
	closer io.Closer // nil: not ours to close
	json   slog.Handler
	buf    []byte
}

// newAccessLog opens the log.
func newAccessLog(cfg Log) (*accessLog, error) {
	l := &accessLog{}
	if err := l.reopen(cfg); err != nil {
		return nil, err
	}
	return l, nil
}

// reopen opens the log anew, perhaps elsewhere or in another format. On error the old
// one stays in use.
func (l *accessLog) reopen(cfg Log) error {
	out, closer, err := openLog(cfg.Access)
	if err != nil {
		return fmt.Errorf("gateway: access log: %w", err)
	}
	if old := l.use(out, closer, cfg.Format); old != nil {
		return old.Close()
	}
	return nil
}

// use changes where lines go, and gives what is to be closed now.
func (l *accessLog) use(out io.Writer, closer io.Closer, format string) (old io.Closer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old = l.closer
	l.out, l.closer, l.json = out, closer, nil
	if format == "json" && out != nil {
		l.json = slog.NewJSONHandler(out, &slog.HandlerOptions{ReplaceAttr: withoutLevel})
	}
	return old
}

// close ends the log.
func (l *accessLog) close() error { return l.reopen(Log{Access: "off"}) }

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

// write logs a request, as it came in, and its answer.
func (l *accessLog) write(r *http.Request, o *observed) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.out == nil:
		return nil
	case l.json != nil:
		return l.json.Handle(context.Background(), jsonLine(r, o))
	}
	l.buf = appendCombined(l.buf[:0], r, o)
	_, err := l.out.Write(l.buf)
	return err
}

// jsonLine has all that is known. Its names are stable.
func jsonLine(r *http.Request, o *observed) slog.Record {
	rec := &o.record
	line := slog.NewRecord(o.start, slog.LevelInfo, "request", 0)
	line.AddAttrs(
		slog.String("client", clientOf(r, rec)),
		slog.String("method", r.Method),
		slog.String("host", r.Host),
		slog.String("uri", withoutResponse(r.RequestURI)),
		slog.String("proto", r.Proto),
		slog.Int("status", o.finalStatus()),
		slog.Int64("bytes", o.bytes),
		slog.Float64("duration", o.duration.Seconds()),
	)
	for _, a := range [...]struct{ key, value string }{
		{"principal", rec.Principal}, {"rule", rec.Rule}, {"backend", rec.Backend}, {"ref", rec.Ref},
		{"referer", withoutResponse(r.Referer())}, {"user_agent", r.UserAgent()},
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
func appendCombined(b []byte, r *http.Request, o *observed) []byte {
	b = append(b, clientOf(r, &o.record)...)
	b = append(b, " - "...)
	b = appendField(b, o.record.Principal)
	b = o.start.AppendFormat(append(b, ' '), "[02/Jan/2006:15:04:05 -0700]")
	b = appendEscaped(append(b, ` "`...), r.Method)
	b = appendEscaped(append(b, ' '), withoutResponse(r.RequestURI))
	b = appendEscaped(append(b, ' '), r.Proto)
	b = strconv.AppendInt(append(b, `" `...), int64(o.finalStatus()), 10)
	b = append(b, ' ')
	if o.bytes == 0 {
		b = append(b, '-')
	} else {
		b = strconv.AppendInt(b, o.bytes, 10)
	}
	b = appendField(append(b, ` "`...), withoutResponse(r.Referer()))
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
