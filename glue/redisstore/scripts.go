package redisstore

import (
	"embed"

	"github.com/redis/go-redis/v9"
)

// Whatever must happen at once, or not at all, is a script that Redis runs. The keys of
// each are in one hash slot, so that scripts work on a cluster as well.

//go:embed lua
var lua embed.FS

var (
	onceScript   = script("memory", "once")
	checkScript  = script("memory", "check")
	saveScript   = script("session", "save")
	touchScript  = script("touch")
	endScript    = script("session", "end")
	endAllScript = script("session", "endall")
	listScript   = script("list")
	wordScript   = script("word")
	logoutScript = script("logout")
)

// script returns the files of these names as one script.
func script(names ...string) *redis.Script {
	var text []byte
	for _, name := range names {
		part, err := lua.ReadFile("lua/" + name + ".lua")
		if err != nil {
			panic("redisstore: " + err.Error()) // only in a broken source tree
		}
		text = append(text, part...)
	}
	return redis.NewScript(string(text))
}
