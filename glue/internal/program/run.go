package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/ucam-webauth/go-webauth/glue/internal/jsonlog"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/keys/cli"
)

// serve serves a configuration file until ctx ends.
func (p *Program) serve(ctx context.Context, file string, stderr io.Writer) error {
	reloads := make(chan os.Signal, 1)
	signal.Notify(reloads, syscall.SIGHUP) // from now on it does not end the program
	defer signal.Stop(reloads)
	cfg, err := p.Load(file)
	if err != nil {
		return err
	}
	log := newProcessLog(stderr, p.Title, cfg.Logs())
	log.Info(p.Title+": starting", "version", cli.Version(), "file", file)
	passed, err := activation.ListenersWithNames()
	if err != nil {
		return fmt.Errorf("sockets from systemd: %v", err)
	}
	server, err := cfg.Open(log.Logger, passed)
	if err != nil {
		return err
	}
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(ctx) }()
	log.notify(daemon.SdNotifyReady)
	for {
		select {
		case <-reloads:
			log.reload(server, file)
		case <-ctx.Done():
			return log.stop(ctx, server, stopped)
		case err := <-stopped:
			if ctx.Err() == nil {
				return errors.Join(err, server.Close())
			}
			stopped <- err // it was idle
			return log.stop(ctx, server, stopped)
		}
	}
}

// processLog is the log on stderr; its level follows the configuration.
type processLog struct {
	*slog.Logger
	title string
	level *slog.LevelVar
}

func newProcessLog(w io.Writer, title string, cfg serve.Log) processLog {
	log := processLog{title: title, level: new(slog.LevelVar)}
	options := &slog.HandlerOptions{Level: log.level}
	var handler slog.Handler = slog.NewTextHandler(w, options)
	if cfg.Format == "json" {
		handler = jsonlog.NewHandler(w, options)
	}
	log.Logger = slog.New(handler)
	log.setLevel(cfg.Level)
	return log
}

func (l processLog) setLevel(name string) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(name)); err == nil { // Load lets no other names through
		l.level.Set(level)
	}
}

// reload puts the file in force as it is now, or logs every mistake in it.
func (l processLog) reload(server Server, file string) {
	l.notify(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
	if now, err := server.ReloadFile(file); err != nil {
		for _, line := range lines(err) {
			l.Error(l.title+": configuration refused, the old one stays in force", "problem", line)
		}
	} else {
		l.setLevel(now.Level)
		l.Info(l.title+": configuration loaded", "file", file)
	}
	l.notify(daemon.SdNotifyReady)
}

// stop waits for a server to stop, as ctx has ended.
func (l processLog) stop(ctx context.Context, server Server, stopped <-chan error) error {
	since := time.Now()
	l.Info(l.title+": stopping", "reason", context.Cause(ctx).Error())
	l.notify(daemon.SdNotifyStopping)
	err := errors.Join(<-stopped, server.Close())
	l.Info(l.title+": stopped", cli.Ended(ctx, since)...)
	return err
}

// notify tells systemd, if it has asked to be told.
func (l processLog) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		l.Warn(l.title+": systemd cannot be told", "error", err)
	}
}
