package store

import "context"

// writer is the right to write to a database of SQLite, which has room for one
// transaction that writes. Those of one process wait for it in the order in which they
// came. SQLite lets them try again from time to time instead, in no order, until the
// busy_timeout: of a hundred some would fail. Other processes still meet that.
//
// For PostgreSQL it is nil, and everybody has it.
type writer chan struct{}

func newWriter(postgreSQL bool) writer {
	if postgreSQL {
		return nil
	}
	return make(writer, 1)
}

// acquire waits for the right until ctx ends.
func (w writer) acquire(ctx context.Context) error {
	if w == nil {
		return nil
	}
	select {
	case w <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tryAcquire takes the right if nobody has it, and reports whether it did.
func (w writer) tryAcquire() bool {
	if w == nil {
		return true
	}
	select {
	case w <- struct{}{}:
		return true
	default:
		return false
	}
}

// release lets the next one have the right.
func (w writer) release() {
	if w != nil {
		<-w
	}
}
