package webauthtest

import "time"

// Now returns the fake's time. Give it to the site under test as its clock and both agree.
func (w *WLS) Now() time.Time { return w.clock.Now() }

// SetNow stops the fake's clock at t; only Advance moves it from then on. A zero t lets
// it run again.
func (w *WLS) SetNow(t time.Time) { w.clock.Set(t) }

// Advance moves the fake's clock by d, which may be negative, stopped or not.
func (w *WLS) Advance(d time.Duration) { w.clock.Advance(d) }
