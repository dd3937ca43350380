package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// healthTimeout bounds the question. Whoever asks takes a slow answer for none.
const healthTimeout = 5 * time.Second

// Health returns the command "health", by which a container without a shell asks whether the
// program serves. Whatever keeps it from that is a failure, which is 1 as a health check wants it.
func Health(load func(file string) (Config, error)) func(args []string, stdout io.Writer) error {
	return func(args []string, stdout io.Writer) error {
		if len(args) != 1 {
			return errors.New("health wants the configuration file, and nothing else")
		}
		cfg, err := load(args[0])
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
		defer cancel()
		if err := cfg.Alive(ctx); err != nil {
			return err
		}
		_, err = fmt.Fprintln(stdout, "alive")
		return err
	}
}
