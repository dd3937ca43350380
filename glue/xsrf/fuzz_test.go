package xsrf

import (
	"bytes"
	"testing"
	"time"
)

// What was minted opens for the same binding, and nothing else opens at all.
func FuzzToken(f *testing.F) {
	key := bytes.Repeat([]byte{7}, 32)
	now := time.Unix(1_800_000_000, 0)
	good := mint(key, binding{who: "test0001", session: "s"}, false, now)
	for _, seed := range []string{good, "", good[:len(good)-1], good + "A", good[:10] + "\n" + good[10:], "AQAAAAAA"} {
		f.Add(seed, "test0001", "s", "a", true)
	}
	f.Fuzz(func(t *testing.T, token, who, session, action string, once bool) {
		b := binding{who: who, session: session, action: action}
		if _, err := open([][]byte{key}, b, token, time.Hour, now); err == nil && token != good {
			t.Fatalf("%q opens", token)
		}
		own := mint(key, b, once, now)
		item, err := open([][]byte{bytes.Repeat([]byte{8}, 32), key}, b, own, time.Hour, now)
		if err != nil || (item != nil) != once {
			t.Fatalf("own token: %v, %v", item, err)
		}
		b.visitor = true
		if _, err := open([][]byte{key}, b, own, time.Hour, now); err != ErrNotValid {
			t.Fatalf("a person's token for a visitor: %v", err)
		}
	})
}
