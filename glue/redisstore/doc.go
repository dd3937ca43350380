// Package redisstore keeps the sessions of a site, and what was used once, in Redis, so
// that several machines can serve the site together: a login at one is valid at all, a
// response of the WLS is accepted once by one of them, and a session that is ended, here
// or by "log out everywhere", is ended on all of them at once.
//
//	store, err := redisstore.New(redisstore.Config{
//		URL:  "redis://127.0.0.1:6379",
//		Site: "soc-example",
//	})
//	if err != nil {
//		log.Fatal(err)
//	}
//	soc, err := site.New(site.Config{
//		BaseURL:    "https://soc.example",
//		SecretFile: "/var/lib/soc/secret", // the same on all machines
//		OneUse:     store,
//	})
//	if err != nil {
//		log.Fatal(err)
//	}
//	auth, err := glue.New(glue.Config{Site: soc, Service: webauth.Raven(), Session: glue.Session{Store: store}})
//
// [Store] is a gorilla/sessions Store, so applications can keep sessions of their own in
// it, and a webauth.OneUse. It needs Redis 5 or later, or Valkey.
//
// # What is kept
//
// A session's cookie holds a random id of 256 bits; Redis has only a hash of it, so that
// a backup or a log of commands lets nobody in. The values are in the clear: they say
// who is logged in where. Everything expires by itself.
//
// # When Redis fails
//
// Nobody is let in by a Redis that does not answer. Each operation waits for at most
// [Config.Timeout] and then returns an error, which package glue answers with a page and
// status 503. It recovers by itself as soon as Redis is back.
//
// A Redis that forgot what was used would let a response in twice. So it keeps a note of
// the time since which it has forgotten nothing; the note is missing in a Redis that was
// emptied or came back empty, and is another process's in one that came back with an
// older snapshot, or in a replica that took over. What was made before that time
// ([ErrLostMemory]), or less than half a second after it, is refused: people who were at the
// login page during the restart log in once more. So do, for a second or two, people who
// begin a login right after Redis came up. The time is the later one of Redis's clock
// and of the machine's that noticed; keep all clocks set by NTP. Where Redis's clock is more
// than five minutes ahead, nobody can log in. Marks outlive what they stand for by five
// minutes, so that smaller leaps of that clock lose nothing; where a larger one, there and
// back, took marks away within five minutes of the last login or Check, or during one,
// what was made before is refused as after a restart.
//
// Marks and sessions are spread over the masters of a cluster. A master that fails takes
// its share of the logins and sessions with it until a replica takes over; the others go on
// (cluster-require-full-coverage no).
//
// Two masters at once, after a network split, do not know of each other, and a response
// that was used at one of them is good at the other one. With replicas, let a master
// that has lost them stop (min-replicas-to-write below). A master that dies takes what it
// has not yet told its replicas with it, a moment as a rule: a session that began then is
// gone, and one that ended then is back, if not in the browser that logged out.
//
// A Redis that is full, or a master that has stopped for want of replicas, takes no writes
// ([ErrReadOnly]): people who are logged in are served, and nobody can log in. [Store.Check]
// finds it. Use Check for alarms, and to send new logins elsewhere. All machines
// share Redis, and so fail the check at once: a balancer that then has no machine left must
// use all of them, or it takes the site from those who are logged in. Most can be told so
// ("panic threshold", "fail open"); with others, balance by whether a machine answers.
//
// # Settings of Redis
//
//	maxmemory-policy noeviction      # others are refused: marks must not be evicted
//	appendonly yes                   # keeps sessions over a restart
//	appendfsync everysec             # "always" gains nothing for one use, see above
//	min-replicas-to-write 1          # with replicas only: at least two, or losing one stops logins
//	min-replicas-max-lag 5           # likewise; let Sentinel's down-after-milliseconds be 10000, so
//	                                 # that a master that is cut off stops before another takes over
//	cluster-require-full-coverage no # in a cluster
//
// The file glue/ENGINES.md has the settings of Sentinel and of a cluster that go with these,
// sizes and alarms.
//
// Size maxmemory for the sessions, about 1.3 KB each (0.9 with hash-max-listpack-value
// 1024), and for the marks of what was used, about 265 bytes each; when it is full, nobody
// can log in. A login leaves two marks, one for six minutes and one for an hour. In an hour
// no more are made than 1,000,000 for logins ([Config.LoginsPerHour]), 500,000 for failures
// that the WLS signed (two each: silent sign-in gets one for every visitor who is not logged
// in), and 100,000 each for unsigned failures, kept forms, single-use tokens of people, and
// those of visitors; beyond that, the next of the same kind are refused, and no others
// ([webauth.Item.Room]). Each of the 16 shards of the marks
// counts its sixteenth. A client who can fill one of these can do no more than that. If
// Redis is not on the same machine, use TLS (rediss://) and a user of its own:
//
//	ACL SETUSER soc on >PASSWORD ~wls1:{soc-example:* resetchannels -@all +@connection +@read +@write +@scripting +time +info
//
// Without the right to INFO it works, but cannot see the policy, nor an old snapshot or
// a replica that took over; New says so in the log. In a cluster the user needs
// +cluster|slots as well.
//
// The API is not stable before version 1; what is accepted will not become laxer.
package redisstore
