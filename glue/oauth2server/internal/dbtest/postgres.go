package dbtest

import (
	"database/sql"
	"sync"
	"sync/atomic"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
)

// postgres is the PostgreSQL server of this process.
type postgres struct {
	*enginetest.PostgreSQL
	control *sql.DB
	made    atomic.Int64 // schemas
}

var running *postgres // what start has started

// start starts the server of this process, once.
var start = sync.OnceValues(func() (*postgres, error) {
	server, err := enginetest.StartPostgreSQL()
	if err != nil {
		return nil, err
	}
	running = &postgres{PostgreSQL: server}
	running.control, err = sql.Open("pgx", server.DSN)
	return running, err
})

// stop ends the server.
func (s *postgres) stop() {
	_ = s.control.Close()
	s.Close()
}
