package gateway

import (
	"context"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
)

// notes are what the handlers of a request leave for each other.
type notes struct {
	forwarded forwarded // what a front server asks about
	proxied   proxied   // its way to a backend
	body      *bodyPace // how slowly its body may come; nil where it has none
}

// notesOf returns the notes of a request. They are never nil: outside of [Gateway.serve]
// they are such as nobody reads.
func notesOf(ctx context.Context) *notes {
	if n, ok := observe.RecordOf(ctx).Notes.(*notes); ok {
		return n
	}
	return &notes{}
}
