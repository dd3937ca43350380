package gateway

import (
	"context"
	"errors"
)

// ready reports why the gateway cannot do its work: it was closed, or Redis does not
// answer, or takes no writes. People who are logged in are served in spite of the last.
func (g *Gateway) ready(ctx context.Context) error {
	c := g.core.Acquire()
	defer g.core.Leave(c)
	if c.Retired() {
		return errors.New("the gateway is closed")
	}
	return g.readiness.Check(ctx, c.common, c.store)
}
