package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// scanner is a row of a result, the only one or the current one.
type scanner interface{ Scan(dest ...any) error }

// notFound turns the absence of a row into ErrNotFound.
func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// scanText reads the only column of a row.
func scanText(row scanner) (text string, err error) {
	err = row.Scan(&text)
	return text, err
}

// collect reads all rows and closes them.
func collect[T any](rows *sql.Rows, scan func(scanner) (T, error)) ([]T, error) {
	defer func() { _ = rows.Close() }() // Err has what matters
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// seconds is a time in a column, in Unix seconds; 0 is the zero time.
type seconds time.Time

// Scan implements [sql.Scanner].
func (s *seconds) Scan(value any) error {
	n, ok := value.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T", value)
	}
	*s = seconds{}
	if n != 0 {
		*s = seconds(time.Unix(n, 0).UTC())
	}
	return nil
}

// toUnix returns a time for a column.
func toUnix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// words is a list in a column, with blanks or line breaks between its parts.
type words []string

// Scan implements [sql.Scanner].
func (w *words) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("a list is stored as %T", value)
	}
	*w = nil
	if text != "" {
		*w = strings.Fields(text)
	}
	return nil
}
