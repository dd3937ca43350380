package redisstore

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
)

// Whatever must happen at once, or not at all, is a script that Redis runs. All keys
// of a site share one hash slot, so that scripts work on a cluster as well.

//go:embed lua/memory.lua
var memoryLua string

//go:embed lua/once.lua
var onceLua string

//go:embed lua/check.lua
var checkLua string

//go:embed lua/session.lua
var sessionLua string

//go:embed lua/save.lua
var saveLua string

//go:embed lua/touch.lua
var touchLua string

//go:embed lua/end.lua
var endLua string

//go:embed lua/endall.lua
var endAllLua string

//go:embed lua/list.lua
var listLua string

var (
	onceScript   = redis.NewScript(memoryLua + onceLua)
	checkScript  = redis.NewScript(memoryLua + checkLua)
	saveScript   = redis.NewScript(sessionLua + saveLua)
	touchScript  = redis.NewScript(touchLua)
	endScript    = redis.NewScript(sessionLua + endLua)
	endAllScript = redis.NewScript(sessionLua + endAllLua)
	listScript   = redis.NewScript(listLua)
)
