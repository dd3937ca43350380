package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ucam-webauth/go-webauth/keys/words"
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

// Ended returns what the log says of a program that stopped because ctx ended: the reason, and how
// long it took since then.
func Ended(ctx context.Context, since time.Time) []any {
	return []any{"reason", context.Cause(ctx).Error(), "took", words.Duration(time.Since(since).Truncate(time.Millisecond))}
}
