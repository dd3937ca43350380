package model

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	walks    = flag.Int("walks", 50, "how many random walks TestReplay does")
	walkSeed = flag.Uint64("seed", 0, "seed of the first walk, the next one's is one more; 0 is a random one")
)

const (
	walkSteps   = 80 // how long a walk is
	maxRestarts = 5  // each takes two seconds, and marks of loops last a minute

	tooLate = 9 * time.Minute // some pages are good for ten
)

// walked are the scenarios that walks are in: those that are searched to the end, some with
// more powers at once than could be, and one in which little but forms is sent.
var walked = []Scenario{
	attacks, lateReplies, sessionLost, cookiesLost, together, dots, between, nested, nestedTabs, goesBack, noCancel, forms,
	{Tabs: 2, Powers: allAttacks | LogsOut | IgnoresIAct | SendsForms},
	{Tabs: 2, Powers: allAttacks | LogsOut | IgnoresIAct | Nested},
	{Tabs: 2, Powers: allAttacks | LogsOut | IgnoresIAct | ReadsAll},
	{Tabs: 1, Powers: allAttacks | LogsOut | IgnoresIAct | ReadsAll | Nested},
	{Tabs: 1, Powers: SendsForms | NeverCancels},

	oidcAttacks, oidcLate, oidcLost, oidcCookies, oidcTogether, oidcBetween, oidcNested, oidcTabs, oidcBack, oidcForms, moves,
	{Tabs: 2, Powers: allAttacks | LogsOut | IgnoresIAct | SendsForms | OpenID},
	{Tabs: 2, Powers: allAttacks | LogsOut | IgnoresIAct | Nested | OpenID},
	{Tabs: 2, Powers: allAttacks | LogsOut | IgnoresIAct | OpenID | Moves},
	{Tabs: 2, Powers: allAttacks | LogsOut | IgnoresIAct | ReadsAll | OpenID},
}

// TestReplay walks through the model at random, does each step in a real site, too, and
// wants the same to come of it.
func TestReplay(t *testing.T) {
	first := *walkSeed
	if first == 0 {
		first = rand.Uint64() >> 1
	}
	outcomes := map[Outcome]int{}
	for i := range uint64(*walks) {
		w := newWalk(t, first+i)
		if err := w.run(); err != nil {
			for n, step := range w.steps {
				t.Logf("%3d. %s", n+1, step)
			}
			require.Failf(t, "the model and the code disagree", "%v\n%s\nto see it again: go test -run TestReplay -walks 1 -seed %d", err, w.m.Scenario, first+i)
		}
		for _, step := range w.steps {
			outcomes[step.Outcome]++
		}
	}
	t.Logf("%d walks, the first with the seed %d", *walks, first)
	for out, text := range outcomeText {
		t.Logf("%7d times: %s", outcomes[Outcome(out)], text)
	}
	if *walks >= 1000 {
		for out := range verdicts {
			assert.Positive(t, outcomes[out], outcomeText[out])
		}
	}
}

func (s Scenario) String() string {
	return fmt.Sprintf("tabs %d, powers %b", s.Tabs, s.Powers)
}

// walk is one way through a scenario, in the model and on the stage.
type walk struct {
	m     *Model
	s     State
	stage *stage
	rng   *rand.Rand
	steps []Step
	taken map[category]int
}

func newWalk(t *testing.T, seed uint64) *walk {
	rng := rand.New(rand.NewPCG(seed, 0))
	scenario := walked[rng.IntN(len(walked))]
	scenario.Tokens, scenario.Answers = maxTokens, maxAnswers
	scenario.Powers |= CountsRedirects | GoesBack // the code counts, and people can always go back
	if rng.IntN(2) == 0 {
		scenario.Powers |= TakesMinutes
	}
	m := &Model{Scenario: scenario, Rules: AllRules}
	return &walk{m: m, rng: rng, stage: newStage(t, m), taken: map[category]int{}}
}

// option is a step that can follow.
type option struct {
	step Step
	to   State
}

func (w *walk) run() error {
	begin := w.stage.now
	for range walkSteps {
		if w.rng.IntN(4) == 0 || w.full() {
			w.m.makeRoom(&w.s)
		}
		next, ok := w.choose()
		if !ok || w.stage.now.Sub(begin) > tooLate {
			return nil
		}
		w.steps = append(w.steps, next.step)
		if err := w.stage.do(w.m, w.s, next.step, next.to); err != nil {
			return err
		}
		w.stage.remembers(&w.s, &next.to)
		w.s = next.to
		if err := w.stage.agrees(w.m, &w.s); err != nil {
			return err
		}
		if broken := w.m.broken(&w.s); broken != nil && !w.m.can(ReadsAll) {
			return fmt.Errorf("broken: %s", broken.Name)
		}
	}
	return nil
}

// full reports whether there is no room for another token or response.
func (w *walk) full() bool {
	s := w.s
	return w.m.newToken(&s, Token{Spent: true}) == 0 || w.m.newAnswer(&s, Answer{}) == 0
}

// category is what steps are counted by.
type category struct {
	kind    Kind
	outcome Outcome
}

// choose takes a step at random, rather of a category that was seldom taken so far.
func (w *walk) choose() (option, bool) {
	var found []category
	options := map[category][]option{}
	w.m.next(w.s, func(step Step, to State) {
		is := category{step.Kind, step.Outcome}
		if step.Kind == MemoryLost && w.taken[is] >= maxRestarts {
			return
		}
		if options[is] == nil {
			found = append(found, is)
		}
		options[is] = append(options[is], option{step, to})
	})
	if len(found) == 0 {
		return option{}, false
	}
	weigh := func(is category) float64 { return 1 / float64(1+w.taken[is]) }
	total := 0.0
	for _, is := range found {
		total += weigh(is)
	}
	at, taken := w.rng.Float64()*total, found[0]
	for _, is := range found {
		if at -= weigh(is); at < 0 {
			taken = is
			break
		}
	}
	w.taken[taken]++
	of := options[taken]
	return of[w.rng.IntN(len(of))], true
}
