package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/ucam-webauth/go-webauth/glue/gateway"
	"github.com/ucam-webauth/go-webauth/glue/internal/jsonlog"
)

// serve runs the gateway until ctx ends.
func serve(ctx context.Context, file string, stderr io.Writer) error {
	reloads := make(chan os.Signal, 1)
	signal.Notify(reloads, syscall.SIGHUP) // from now on it does not end the program
	defer signal.Stop(reloads)
	cfg, err := gateway.Load(file)
	if err != nil {
		return err
	}
	log := newProcessLog(stderr, cfg.Log)
	cfg.Logger = log.Logger
	g, server, err := open(cfg)
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
			log.notify(daemon.SdNotifyStopping)
			return errors.Join(<-stopped, g.Close())
		case err := <-stopped:
			if ctx.Err() != nil { // a gateway that was idle has stopped by now
				log.notify(daemon.SdNotifyStopping)
			}
			return errors.Join(err, g.Close())
		}
	}
}

// open makes the gateway, with the sockets that systemd has passed.
func open(cfg *gateway.Config) (*gateway.Gateway, *gateway.Server, error) {
	passed, err := activation.ListenersWithNames()
	if err != nil {
		return nil, nil, fmt.Errorf("sockets from systemd: %v", err)
	}
	g, err := gateway.New(*cfg)
	if err != nil {
		return nil, nil, err
	}
	server, err := gateway.NewServer(g, *cfg, passed)
	if err != nil {
		return nil, nil, errors.Join(err, g.Close())
	}
	return g, server, nil
}

// processLog is the log on stderr; its level follows the configuration.
type processLog struct {
	*slog.Logger
	level *slog.LevelVar
}

func newProcessLog(w io.Writer, cfg gateway.Log) processLog {
	log := processLog{level: new(slog.LevelVar)}
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
func (l processLog) reload(server *gateway.Server, file string) {
	l.notify(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
	if err := server.ReloadFile(file); err != nil {
		for _, line := range lines(err) {
			l.Error("wls gateway: configuration refused, the old one stays in force", "problem", line)
		}
	} else {
		l.setLevel(server.Config().Log.Level)
		l.Info("wls gateway: configuration loaded", "file", file)
	}
	l.notify(daemon.SdNotifyReady)
}

// notify tells systemd, if it has asked to be told.
func (l processLog) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		l.Warn("wls gateway: systemd cannot be told", "error", err)
	}
}
