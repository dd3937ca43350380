package redisstore

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/sessions"
	"github.com/redis/go-redis/v9"

	"github.com/ucam-webauth/go-webauth/glue"
)

// A provider that logs a person out names their account or its own session by a word, see
// glue.SessionEnder. Whose sessions may have it is in a set, written before a session that
// has it; that it was used is a mark, read after such a session was written. So, whichever
// comes first, a login under way and a logout at the same moment do not miss each other.
// Set and mark are apart from the sessions, which are in the person's shard.

// outLife is how long a logout stops logins of before it: longer than answers of providers are
// taken, and a person may think about whether a login is theirs.
const outLife = 20 * time.Minute

func (n names) wordKeys(word string) (people, out string) {
	hash := digest("logout", word)
	shard := shardOf(hash)
	return n.in(shard, "logout:"+hash), n.in(shard, "logged-out:"+hash)
}

// wordsOf returns the words of a session.
func wordsOf(session *sessions.Session) []string {
	text, _ := session.Values[glue.ValueLogout].(string)
	return strings.Fields(text)
}

// noteWords notes whose session will have the words, for as long as it may last.
func (s *Store) noteWords(ctx context.Context, session *sessions.Session, life time.Duration) error {
	for _, word := range wordsOf(session) {
		people, _ := s.names.wordKeys(word)
		if err := s.run(ctx, wordScript, []string{people}, principalOf(session), (life + time.Minute).Milliseconds()).Err(); err != nil {
			return s.unavailable(err)
		}
	}
	return nil
}

// loggedOut reports whether a session that was just saved began by a login of before a logout.
func (s *Store) loggedOut(ctx context.Context, session *sessions.Session) (bool, error) {
	issued, _ := session.Values[glue.ValueIssued].(int64)
	for _, word := range wordsOf(session) {
		_, out := s.names.wordKeys(word)
		at, err := s.client.Get(ctx, out).Int64()
		switch {
		case errors.Is(err, redis.Nil):
		case err != nil:
			return false, s.unavailable(err)
		case issued <= at:
			return true, nil
		}
	}
	return false, nil
}

// EndSessions implements [glue.SessionEnder].
func (s *Store) EndSessions(ctx context.Context, word string, at time.Time) (int, error) {
	people, out := s.names.wordKeys(word)
	principals, err := s.run(ctx, logoutScript, []string{out, people}, at.Unix(), outLife.Milliseconds()).StringSlice()
	if err != nil {
		return 0, s.unavailable(err)
	}
	total := 0
	for _, principal := range principals {
		for n := 1; n > 0; { // not all of very many are listed at once
			if n, err = s.endWithWord(ctx, principal, word, at); err != nil {
				return total + n, err
			}
			total += n
		}
	}
	return total, nil
}

// valuesOf returns the values of one of a person's sessions, without using it; nil for none.
func (s *Store) valuesOf(ctx context.Context, principal, handle string) (map[any]any, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	_, records, _ := s.names.person(principal)
	text, err := s.client.HGet(ctx, records+handle, "values").Result()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, nil
	case err != nil:
		return nil, s.unavailable(err)
	}
	values, err := decodeValues(text)
	if err != nil {
		return nil, nil // nobody gets in by it
	}
	return values, nil
}

// endWithWord ends those of a person's sessions that have the word.
func (s *Store) endWithWord(ctx context.Context, principal, word string, at time.Time) (ended int, err error) {
	all, err := s.Sessions(ctx, principal)
	if err != nil {
		return 0, err
	}
	for _, one := range all {
		values, err := s.valuesOf(ctx, principal, one.Handle)
		if err != nil {
			return ended, err
		}
		issued, _ := values[glue.ValueIssued].(int64)
		if !slices.Contains(wordsOf(&sessions.Session{Values: values}), word) || issued > at.Unix() {
			continue
		}
		was, err := s.Revoke(ctx, principal, one.Handle)
		if err != nil {
			return ended, err
		}
		if was {
			ended++
		}
	}
	return ended, nil
}
