package glue_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// attackFile is testdata/attacks.json: attacks by kind, each with what must come of it.
// Courses of events that only turn on who does what when, and not on how it is written,
// are in glue/internal/model.
type attackFile struct {
	About    string
	Outcomes map[string]outcome
	Kinds    []*attackKind
}

// attackKind is a course of events that several attacks have in common.
type attackKind struct {
	Name, About string
	// World is what differs from a plain site; see attackWorld.
	World []string
	// Steps are what happens, one sentence each; see runSteps. "! " begins a step of the
	// attack alone, "? " one of its honest twin alone.
	Steps []string
	// Honest is what $ stands for in the steps of the twin.
	Honest string
	// Twin is what must come of the same steps without the attack.
	Twin    outcome
	Attacks []*attack
}

// attack is one row of the catalogue.
type attack struct {
	Name string
	// Does is what the attacker does, in words.
	Does string
	// Attack is what $ stands for in the steps.
	Attack string
	// World and Steps are in place of the kind's, Honest and Twin too.
	World  []string
	Steps  []string
	Honest string
	Twin   *outcome
	// Check is which check refuses it: one of attackChecks, or empty where nothing is
	// refused, because what the attacker does is of no use to him.
	Check string
	outcome
}

// outcome is what comes of a course of events: the answer to its last request, and who is
// logged in afterwards.
type outcome struct {
	// Comes names the one of attackFile.Outcomes that has the fields left out here.
	Comes  string
	Status int
	Page   string // which of our pages it is
	Sees   string // whom the handler saw: a principal, "nobody", or empty if it did not run
	// Event and Reason are those of the last event of the request, and of its log line.
	Event, Reason string
	// Location is where a redirect leads; "wls" is the login service.
	Location string
	// Asks are parameters of the request to the login service.
	Asks map[string]string
	// Hides must not be in the body.
	Hides string
	// Victim and Attacker are whom the site takes either browser for afterwards.
	Victim, Attacker string
}

// complete fills in what the outcome's name stands for.
func (f *attackFile) complete(o *outcome) error {
	if o.Comes == "" {
		return nil
	}
	named, ok := f.Outcomes[o.Comes]
	if !ok {
		return fmt.Errorf("there is no outcome %q", o.Comes)
	}
	o.Comes, o.Status = "", cmp.Or(o.Status, named.Status)
	for _, f := range []struct {
		own   *string
		named string
	}{
		{&o.Page, named.Page}, {&o.Sees, named.Sees}, {&o.Event, named.Event}, {&o.Reason, named.Reason}, {&o.Location, named.Location},
		{&o.Hides, named.Hides}, {&o.Victim, named.Victim}, {&o.Attacker, named.Attacker},
	} {
		*f.own = cmp.Or(*f.own, f.named)
	}
	if o.Asks == nil {
		o.Asks = named.Asks
	}
	return nil
}

// attackChecks are the rules that refuse attacks.
var attackChecks = []string{
	"shape", "key", "signature", "version", "time", "url", "response once", "mark first", "token", "token once", "strength",
	"status", "navigation", "binding", "seal", "service binding", "site binding", "__Host-", "cookie twice", "rotation", "expiry",
	"policy", "host", "next", "address", "same origin", "kept form", "store", "http",
}

const fewestAttacks = 200

// TestAttacks holds the catalogue of attacks against sites on real listeners. Each attack
// runs beside its honest twin, the same without the attack, which must succeed: so none
// can be refused only because the stage is broken.
func TestAttacks(t *testing.T) {
	file := loadAttacks(t)
	twins := map[string]bool{}
	sum, held := 0, 0
	for _, kind := range file.Kinds {
		for _, a := range kind.Attacks {
			sum++
			t.Run(a.Name, func(t *testing.T) {
				script := a.script(kind)
				if twin := fmt.Sprint(script.honest, script.world); !twins[twin] {
					t.Run("honest twin", func(t *testing.T) {
						playOut(t, script.world, script.honest).require(script.twin)
					})
					require.False(t, t.Failed(), "the honest twin must succeed")
					twins[twin] = true
				}
				playOut(t, script.world, script.attack).require(a.outcome)
				if !t.Failed() {
					held++
				}
			})
		}
		t.Logf("%-20s %3d tried", kind.Name, len(kind.Attacks))
	}
	t.Logf("%d attacks tried, %d came out as they must, beside %d honest twins", sum, held, len(twins))
	fmt.Printf("attacks: %d tried, %d came out as they must\n", sum, held)
}

// loadAttacks reads the catalogue, and fails where a mistake in it could hide an attack.
func loadAttacks(t *testing.T) *attackFile {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "attacks.json"))
	require.NoError(t, err)
	file, err := parseAttacks(data)
	require.NoError(t, err)
	return file
}

func parseAttacks(data []byte) (*attackFile, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	file := &attackFile{}
	if err := decoder.Decode(file); err != nil {
		return nil, err
	}
	if decoder.More() {
		return nil, errors.New("something stands behind the catalogue")
	}
	return file, file.check()
}

// check completes the outcomes, and reports what could hide an attack.
func (f *attackFile) check() error {
	kinds, names := map[string]bool{}, map[string]bool{}
	for _, k := range f.Kinds {
		if err := f.complete(&k.Twin); err != nil {
			return fmt.Errorf("kind %q: %w", k.Name, err)
		}
		if k.Name == "" || k.About == "" || k.Twin.Status == 0 || len(k.Attacks) == 0 || kinds[k.Name] {
			return fmt.Errorf("kind %q comes twice, or lacks its name, about, twin or attacks", k.Name)
		}
		kinds[k.Name] = true
		for _, a := range k.Attacks {
			if names[a.Name] {
				return fmt.Errorf("attack %q comes twice", a.Name)
			}
			if err := f.checkAttack(a, k); err != nil {
				return fmt.Errorf("attack %q: %w", a.Name, err)
			}
			names[a.Name] = true
		}
	}
	if len(names) < fewestAttacks {
		return fmt.Errorf("only %d attacks, %d are wanted", len(names), fewestAttacks)
	}
	return nil
}

func (f *attackFile) checkAttack(a *attack, kind *attackKind) error {
	err := f.complete(&a.outcome)
	if a.Twin != nil {
		err = errors.Join(err, f.complete(a.Twin))
	}
	script := a.script(kind)
	switch {
	case err != nil:
		return err
	case a.Name == "" || a.Does == "" || a.Status == 0:
		return errors.New("it lacks its name, does or status")
	case a.Check != "" && !slices.Contains(attackChecks, a.Check):
		return fmt.Errorf("there is no check %q", a.Check)
	case len(script.attack) == 0 || fmt.Sprint(script.attack) == fmt.Sprint(script.honest):
		return errors.New("it has no steps, or the same ones as its honest twin")
	}
	return nil
}

// script is an attack and its twin, ready to run.
type script struct {
	world, attack, honest []string
	twin                  outcome
}

func (a *attack) script(kind *attackKind) script {
	s := script{world: kind.World, twin: kind.Twin}
	if a.World != nil {
		s.world = a.World
	}
	if a.Twin != nil {
		s.twin = *a.Twin
	}
	steps, honest := kind.Steps, kind.Honest
	if a.Steps != nil {
		steps = a.Steps
	}
	if a.Honest != "" {
		honest = a.Honest
	}
	for _, step := range steps {
		bare, ofAttack := strings.CutPrefix(step, "! ")
		bare, ofTwin := strings.CutPrefix(bare, "? ")
		if !ofTwin {
			s.attack = append(s.attack, strings.ReplaceAll(bare, "$", a.Attack))
		}
		if !ofAttack {
			s.honest = append(s.honest, strings.ReplaceAll(bare, "$", honest))
		}
	}
	return s
}

// The loader is what stands between a slip in the file and an attack that nobody tries.
func TestAttacksRefusesABrokenCatalogue(t *testing.T) {
	good, err := os.ReadFile(filepath.Join("..", "testdata", "attacks.json"))
	require.NoError(t, err)
	broken := func(edit func(f *attackFile)) []byte {
		file, err := parseAttacks(good)
		require.NoError(t, err)
		edit(file)
		data, err := json.Marshal(file)
		require.NoError(t, err)
		return data
	}
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "EOF"},
		{"no JSON", []byte("attacks"), "invalid"},
		{"cut off", good[:len(good)/2], "unexpected EOF"},
		{"empty", []byte("{}"), "only 0 attacks"},
		{"two in one", append(slices.Clone(good), '{', '}'), "behind the catalogue"},
		{"a field that nobody knows", []byte(`{"Kinds":[{"nam":"x"}]}`), "unknown field"},
		{"a name twice", broken(func(f *attackFile) { f.Kinds[1].Attacks[0].Name = f.Kinds[0].Attacks[0].Name }), "comes twice"},
		{"a kind twice", broken(func(f *attackFile) { f.Kinds[1].Name = f.Kinds[0].Name }), "comes twice"},
		{"a kind without attacks", broken(func(f *attackFile) { f.Kinds[1].Attacks = nil }), "lacks"},
		{"an unknown outcome", broken(func(f *attackFile) { f.Kinds[0].Attacks[3].Comes = "luck" }), "no outcome"},
		{"an unknown outcome of a twin", broken(func(f *attackFile) { f.Kinds[0].Attacks[3].Twin = &outcome{Comes: "luck"} }), "no outcome"},
		{"an unknown check", broken(func(f *attackFile) { f.Kinds[0].Attacks[3].Check = "luck" }), "no check"},
		{"no status", broken(func(f *attackFile) { f.Kinds[0].Attacks[3].Status = 0 }), "lacks"},
		{"no attack in it", broken(func(f *attackFile) { f.Kinds[0].Attacks[3].Steps = []string{"victim asks /private/"} }), "the same ones"},
		{"too few", broken(func(f *attackFile) { f.Kinds = f.Kinds[:1] }), "only 107"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseAttacks(tt.data)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
