package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// machine is a process that serves the site, and is started again whenever it ends.
type machine struct {
	spec  machineSpec
	heard func(line string)

	mu    sync.Mutex
	cmd   *exec.Cmd // nil while it does not run
	ready bool      // it serves
}

// startTries is how often a machine may fail to start at first: a Redis that is slow to
// answer, on a busy computer, refuses it.
const startTries = 3

// startMachine starts a machine and returns when it serves. It is started again until
// the context ends; done is closed once it has ended for good.
func startMachine(ctx context.Context, spec machineSpec, heard func(line string), fault func(string)) (m *machine, done chan struct{}, err error) {
	m, done = &machine{spec: spec, heard: heard}, make(chan struct{})
	started := make(chan error, 1)
	go func() {
		defer close(done)
		served := false
		for tries := 1; ctx.Err() == nil; tries++ {
			err := m.run(ctx, func() {
				if !served {
					served = true
					started <- nil
				}
			})
			if !served && tries == startTries {
				started <- err
				return
			}
			if served && err != nil && ctx.Err() == nil {
				fault(err.Error())
			}
			pause(ctx, restartAfter)
		}
	}()
	return m, done, <-started
}

// run is one life of the machine. Its error is why it did not come to serve, or why it
// stopped by itself; to be killed is none.
func (m *machine) run(ctx context.Context, ready func()) error {
	spec, err := json.Marshal(m.spec)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), machineVariable+"="+string(spec))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C at a terminal is for the harness, which ends it
	var why strings.Builder
	cmd.Stderr = &why
	leash, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	m.set(cmd)
	stop := context.AfterFunc(ctx, func() { _ = leash.Close() })
	defer stop()
	served := m.listen(out, ready)
	m.set(nil)
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil || killed(err):
		return nil
	case !served:
		return fmt.Errorf("a machine does not start: %s", firstLine(why.String()))
	}
	return fmt.Errorf("a machine stopped by itself: %v: %s", err, firstLine(why.String()))
}

// listen reads what the machine says until it ends, and reports whether it came to serve.
func (m *machine) listen(out io.Reader, ready func()) (served bool) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		switch line := lines.Text(); {
		case line != machineReady:
			m.heard(line)
		case !served:
			served = true
			m.mu.Lock()
			m.ready = true
			m.mu.Unlock()
			ready()
		}
	}
	return served
}

func killed(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled()
}

// firstLine returns the beginning of what a machine complains of.
func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line[:min(len(line), 80)]
}

func (m *machine) set(cmd *exec.Cmd) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cmd, m.ready = cmd, false
}

// serves reports whether the machine serves.
func (m *machine) serves() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ready
}

// kill ends the process as a crash does, and reports whether there was one.
func (m *machine) kill() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cmd != nil && m.cmd.Process.Kill() == nil
}
