package webauthtest

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// Fault is something a site must survive: an answer it must refuse, or no answer. Its
// text is its name on a command line.
type Fault string

// The faults. Where nothing else is said, the answer is a success in every other
// respect; scripted beside a failing status, a fault spoils that answer instead.
const (
	FaultNone Fault = ""

	// FaultCancel is the person pressing Cancel: status 410.
	FaultCancel Fault = "cancel"
	// FaultSlow waits for Outcome.Delay or, where that is zero, for Config.SlowFor
	// before an otherwise ordinary answer.
	FaultSlow Fault = "slow"
	// FaultDown answers 503 with a plain page.
	FaultDown Fault = "down"
	// FaultClosed closes the connection without an answer.
	FaultClosed Fault = "closed"

	// FaultWrongKey signs with another key under the right kid.
	FaultWrongKey Fault = "wrong-key"
	// FaultUnknownKid signs with the right key under a kid nobody trusts.
	FaultUnknownKid Fault = "unknown-kid"
	// FaultBadSignature changes one letter of the signature.
	FaultBadSignature Fault = "bad-signature"
	// FaultUnsigned leaves kid and sig out.
	FaultUnsigned Fault = "unsigned"
	// FaultAlteredPrincipal changes the principal after signing.
	FaultAlteredPrincipal Fault = "altered-principal"

	// FaultStale is signed an hour ago; FaultFuture an hour from now.
	FaultStale  Fault = "stale"
	FaultFuture Fault = "future"
	// FaultAlteredURL is signed for the same path at other.example, but sent here.
	FaultAlteredURL Fault = "altered-url"
	// FaultVersion1 and FaultVersion2 are signed in a lower version than asked for.
	FaultVersion1 Fault = "version-1"
	FaultVersion2 Fault = "version-2"
	// FaultWrongParams is signed with params that differ from the request's.
	FaultWrongParams Fault = "wrong-params"
	// FaultReplay sends the response sent before, to anybody, once more. An ordinary
	// answer where there was none yet.
	FaultReplay Fault = "replay"
	// FaultIgnoreIAct answers by single sign-on although iact=yes asked for a password;
	// where nobody is logged in, what was typed counts as single sign-on.
	FaultIgnoreIAct Fault = "ignore-iact"
)

var faults = []Fault{
	FaultCancel, FaultSlow, FaultDown, FaultClosed, FaultWrongKey, FaultUnknownKid, FaultBadSignature, FaultUnsigned,
	FaultAlteredPrincipal, FaultStale, FaultFuture, FaultAlteredURL, FaultVersion1, FaultVersion2, FaultWrongParams,
	FaultReplay, FaultIgnoreIAct,
}

// Faults returns every fault but FaultNone.
func Faults() []Fault { return slices.Clone(faults) }

// onArrival reports whether the fault strikes before the person is asked. The others
// spoil an answer.
func (f Fault) onArrival() bool {
	return f == FaultCancel || f == FaultSlow || f == FaultDown || f == FaultClosed
}

func (f Fault) check() error {
	if f != FaultNone && !slices.Contains(faults, f) {
		return fmt.Errorf("webauthtest: no fault is called %q; there are %q", f, faults)
	}
	return nil
}

// mix draws faults with fixed probabilities from a seeded source, so that a run can be
// repeated. The zero mix draws none. It is not safe for concurrent use.
type mix struct {
	probabilities map[Fault]float64
	random        *rand.Rand
}

func newMix(probabilities map[Fault]float64, seed uint64) (mix, error) {
	for f := range probabilities {
		if f == FaultNone {
			return mix{}, errors.New("webauthtest: Faults: the empty fault has no probability")
		}
		if err := f.check(); err != nil {
			return mix{}, err
		}
	}
	sum := 0.0
	for _, f := range faults { // not the map's order, which changes
		p := probabilities[f]
		if sum += p; !(p >= 0 && p <= 1) || sum > 1+1e-9 { // NaN fails too
			return mix{}, fmt.Errorf("webauthtest: Faults: %s=%v: want probabilities of 0 to 1 that add up to at most 1", f, p)
		}
	}
	return mix{maps.Clone(probabilities), rand.New(rand.NewPCG(seed, seed))}, nil
}

func (m *mix) draw() Fault {
	if len(m.probabilities) == 0 {
		return FaultNone
	}
	x := m.random.Float64()
	for _, f := range faults {
		if x -= m.probabilities[f]; x < 0 {
			return f
		}
	}
	return FaultNone
}
