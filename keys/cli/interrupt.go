package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// endings are the signals that ask a program to end, by the names that operators know.
var endings = map[os.Signal]error{os.Interrupt: errors.New("SIGINT"), syscall.SIGTERM: errors.New("SIGTERM")}

// UntilSignal returns a context that ends when the process is asked to end, by SIGINT or SIGTERM,
// which is its cause; see [context.Cause]. A second signal ends the process at once.
func UntilSignal() context.Context {
	ctx, end := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		s := <-signals
		signal.Stop(signals)
		end(endings[s])
	}()
	return ctx
}
