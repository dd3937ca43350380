// Package firefoxtest starts a real Firefox for tests.
package firefoxtest

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startTime is how long Firefox may take to listen: seconds, on an idle machine.
const startTime = 2 * time.Minute

// find returns the path of a Firefox. It skips the test where there is none, but never
// in CI.
func find(t testing.TB) string {
	t.Helper()
	names := []string{"firefox-esr", "firefox"}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing := "no Firefox to test with: install it (Debian's package firefox-esr), so that one of " +
		strings.Join(names, ", ") + " is on the PATH"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// preferences of a browser that listens on a free port and asks nobody outside for anything.
const preferences = `
user_pref("marionette.port", 0);
user_pref("app.normandy.enabled", false);
user_pref("app.update.disabledForTesting", true);
user_pref("browser.newtabpage.enabled", false);
user_pref("browser.safebrowsing.downloads.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.startup.page", 0);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.getAddons.cache.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.dns.native-is-localhost", true);
user_pref("services.settings.server", "data:,#");
`

// Start starts a headless Firefox, with a profile of its own, until the test ends or the
// context is done. The tab is its first.
func Start(ctx context.Context, t testing.TB) *Tab {
	t.Helper()
	path, profile := find(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(preferences), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(ctx)
	// #nosec G204 -- the path is that of a browser
	cmd := exec.CommandContext(ctx, path, "--headless", "--no-remote", "--marionette", "--profile", profile)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Env = append(os.Environ(), "HOME="+profile, "MOZ_CRASHREPORTER_DISABLE=1")
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	gone := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed
		close(gone)
	}()
	t.Cleanup(func() {
		end()
		<-gone
	})
	port := portOf(t, profile, gone, &log)
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		t.Fatalf("talking to %s: %v", path, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	tab, err := newSession(ctx, conn)
	if err != nil {
		t.Fatalf("talking to %s: %v", path, err)
	}
	return tab
}

// portOf waits for the file in which Firefox says where it listens.
func portOf(t testing.TB, profile string, gone <-chan struct{}, log *bytes.Buffer) string {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(startTime)
	for {
		port, err := os.ReadFile(filepath.Join(profile, "MarionetteActivePort"))
		if err == nil && len(port) > 0 {
			return strings.TrimSpace(string(port))
		}
		select {
		case <-tick.C:
		case <-gone:
			t.Fatalf("Firefox ended: %s", log)
		case <-late:
			t.Fatal("Firefox does not listen")
		}
	}
}
