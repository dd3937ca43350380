package keys_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
)

// clock is a clock that stands still until it is told otherwise. It is safe for concurrent use.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time {
	return time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(c.offset.Load()))
}

func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// openDir follows a directory that holds kid 2 (RSA-1024) and kid 3 (RSA-2048).
func openDir(t *testing.T) (d *keys.Dir, path string, c *clock) {
	t.Helper()
	path, c = t.TempDir(), &clock{}
	write(t, path, "pubkey2", pkcs1PEM(publicKey(t, "testRSA1024")))
	write(t, path, "pubkey3", pkcs1PEM(publicKey(t, "testRSA2048")))
	d, err := keys.NewDir(keys.DirConfig{Path: path, Now: c.now})
	require.NoError(t, err)
	return d, path, c
}

func TestDirServesTheKeysOfTheDirectory(t *testing.T) {
	d, path, _ := openDir(t)
	key, ok := d.Lookup("2")
	require.True(t, ok)
	assert.Equal(t, 1024, key.Bits())
	_, ok = d.Lookup("4")
	assert.False(t, ok)
	assert.Equal(t, []string{"2", "3"}, kidsOf(d.Keys()))
	assert.Empty(t, d.Problems())

	write(t, path, "notes.txt", nil)
	require.NoError(t, d.Reload())
	assert.Equal(t, []string{"notes.txt"}, d.Set().Skipped())
}

func TestDirNoticesChangesByItselfAfterTheInterval(t *testing.T) {
	d, path, c := openDir(t)
	write(t, path, "pubkey4", pkcs1PEM(publicKey(t, "testRSA4096")))
	write(t, path, "pubkey2", pkcs1PEM(publicKey(t, "testRSA2048")))
	require.NoError(t, os.Remove(filepath.Join(path, "pubkey3")))

	c.advance(10*time.Second - 1)
	assert.Equal(t, []string{"2", "3"}, kidsOf(d.Keys()), "the last reading still serves")
	c.advance(1)
	assert.Equal(t, []string{"2", "4"}, kidsOf(d.Keys()))
	key, _ := d.Lookup("2")
	assert.Equal(t, 2048, key.Bits(), "a file that changed")
	assert.Empty(t, d.Problems())
}

func TestDirReadsAgainWhenTheClockWasSetBack(t *testing.T) {
	d, path, c := openDir(t)
	require.NoError(t, os.Remove(filepath.Join(path, "pubkey3")))
	c.advance(-time.Hour)
	assert.Equal(t, []string{"2"}, kidsOf(d.Keys()))
}

func TestDirReloadDropsADeletedKeyAtOnce(t *testing.T) {
	d, path, _ := openDir(t)
	require.NoError(t, os.Remove(filepath.Join(path, "pubkey3")))
	require.NoError(t, d.Reload())
	_, ok := d.Lookup("3")
	assert.False(t, ok)
}

func TestDirKeepsTheKeyOfADamagedFileForTheGraceOnly(t *testing.T) {
	d, path, c := openDir(t)
	c.advance(time.Minute)
	require.NoError(t, d.Reload())
	write(t, path, "pubkey3", []byte("half a fi"))
	c.advance(time.Minute)

	err := d.Reload()
	require.ErrorContains(t, err, filepath.Join(path, "pubkey3")+": no PEM block")
	assert.ErrorContains(t, err, "the key that kid 3 had before stays trusted until 2025-01-02T03:15:05Z")
	require.Len(t, d.Problems(), 1)
	key, ok := d.Lookup("3")
	require.True(t, ok)
	assert.Equal(t, 2048, key.Bits())

	// Ten minutes after the last good reading, which was at one minute: to the instant, not to the next interval.
	c.advance(9*time.Minute - 1)
	_, ok = d.Lookup("3")
	assert.True(t, ok)
	c.advance(1)
	_, ok = d.Lookup("3")
	assert.False(t, ok)
	assert.Equal(t, []string{"2"}, kidsOf(d.Keys()), "other keys are not concerned")
	require.Len(t, d.Problems(), 1)
	assert.NotContains(t, d.Problems()[0].Error(), "stays trusted")

	write(t, path, "pubkey3", pkcs1PEM(publicKey(t, "testRSA4096")))
	require.NoError(t, d.Reload())
	key, _ = d.Lookup("3")
	assert.Equal(t, 4096, key.Bits())
	assert.Empty(t, d.Problems())
}

func TestDirThatWasNotUsedForLongKeepsNoOldKey(t *testing.T) {
	d, path, c := openDir(t)
	write(t, path, "pubkey3", []byte("half a fi"))
	c.advance(time.Hour)
	assert.Equal(t, []string{"2"}, kidsOf(d.Keys()))
}

func TestDirGraceEndsWhenTheDamagedFileIsDeleted(t *testing.T) {
	d, path, _ := openDir(t)
	write(t, path, "pubkey3", []byte("half a fi"))
	require.Error(t, d.Reload())
	require.NoError(t, os.Remove(filepath.Join(path, "pubkey3")))
	require.NoError(t, d.Reload())
	assert.Equal(t, []string{"2"}, kidsOf(d.Keys()))
}

func TestDirForgetsADeletedKeyWhoseCertificateIsDamaged(t *testing.T) {
	d, path, _ := openDir(t)
	require.NoError(t, os.Rename(filepath.Join(path, "pubkey3"), filepath.Join(path, "pubkey3.crt")))
	write(t, path, "pubkey3.crt", []byte("half a fi"))
	require.Error(t, d.Reload())
	assert.Equal(t, []string{"2"}, kidsOf(d.Keys()))
}

func TestDirKeepsTheOldKeyWhileFilesOfOneKidDisagree(t *testing.T) {
	d, path, _ := openDir(t)
	write(t, path, "pubkey3.crt", certPEM(t, privateKey(t, "testRSA4096")))
	require.ErrorContains(t, d.Reload(), "hold different keys")
	key, ok := d.Lookup("3")
	require.True(t, ok)
	assert.Equal(t, 2048, key.Bits())

	write(t, path, "pubkey3", pkcs1PEM(publicKey(t, "testRSA4096")))
	require.NoError(t, d.Reload())
	key, _ = d.Lookup("3")
	assert.Equal(t, 4096, key.Bits())
}

func TestDirDropsALinkThatLeadsNowhere(t *testing.T) {
	target := write(t, t.TempDir(), "key", pkcs1PEM(publicKey(t, "testRSA2048")))
	path := t.TempDir()
	require.NoError(t, os.Symlink(target, filepath.Join(path, "pubkey2")))
	d, err := keys.OpenDir(path)
	require.NoError(t, err)
	require.NoError(t, os.Remove(target))
	assert.ErrorIs(t, d.Reload(), fs.ErrNotExist)
	assert.Empty(t, d.Keys())
}

func TestDirThatIsGoneOrEmptyTrustsNothing(t *testing.T) {
	d, path, _ := openDir(t)
	for _, name := range []string{"pubkey2", "pubkey3"} {
		require.NoError(t, os.Remove(filepath.Join(path, name)))
	}
	assert.ErrorContains(t, d.Reload(), "no key file in this directory")
	assert.Empty(t, d.Keys())

	d, path, _ = openDir(t)
	require.NoError(t, os.RemoveAll(path))
	assert.ErrorIs(t, d.Reload(), fs.ErrNotExist)
	assert.Empty(t, d.Keys())
}

func TestDirThatCannotBeListedKeepsItsKeysForTheGrace(t *testing.T) {
	d, path, c := openDir(t)
	require.NoError(t, os.Rename(path, path+".old"))
	require.NoError(t, os.WriteFile(path, nil, 0o644)) // a file in its place: neither there nor gone
	c.advance(5 * time.Minute)
	require.ErrorContains(t, d.Reload(), "not a directory")
	assert.Equal(t, []string{"2", "3"}, kidsOf(d.Keys()))
	c.advance(5 * time.Minute)
	assert.Empty(t, d.Keys())
	require.Len(t, d.Problems(), 1)
}

func TestNewDirRefuses(t *testing.T) {
	good := t.TempDir()
	write(t, good, "pubkey2", pkcs1PEM(publicKey(t, "testRSA2048")))
	damaged := t.TempDir()
	write(t, damaged, "pubkey2", pkcs1PEM(publicKey(t, "testRSA2048")))
	write(t, damaged, "pubkey3", []byte("<html>"))
	for _, tc := range []struct {
		name   string
		cfg    keys.DirConfig
		reason string
	}{
		{"no path", keys.DirConfig{}, "no directory of key files given"},
		{"empty directory", keys.DirConfig{Path: t.TempDir()}, "no key file in this directory"},
		{"one damaged file", keys.DirConfig{Path: damaged}, "pubkey3: no PEM block"},
		{"grace of 11 minutes", keys.DirConfig{Path: good, Grace: 11 * time.Minute}, "Grace is 11 minutes"},
		{"negative grace", keys.DirConfig{Path: good, Grace: -1}, "Grace is minus 1 nanosecond"},
		{"negative interval", keys.DirConfig{Path: good, Interval: -1}, "Interval is minus 1 nanosecond"},
		{"interval above grace", keys.DirConfig{Path: good, Grace: time.Second, Interval: time.Minute}, "Interval is 1 minute"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, err := keys.NewDir(tc.cfg)
			assert.ErrorContains(t, err, tc.reason)
			assert.Nil(t, d)
		})
	}
}

func TestDirIsSafeForConcurrentUse(t *testing.T) {
	d, path, c := openDir(t)
	small, large := pkcs1PEM(publicKey(t, "testRSA1024")), pkcs1PEM(publicKey(t, "testRSA2048"))
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for range 200 {
				c.advance(time.Second)
				key, ok := d.Lookup("3") // rewritten all the time, never deleted
				assert.True(t, ok)
				assert.Contains(t, []int{1024, 2048}, key.Bits())
				d.Keys()
				d.Problems()
			}
		})
	}
	for i := range 100 {
		data := small
		if i%2 == 0 {
			data = large
		}
		temporary := write(t, path, "new", data)
		require.NoError(t, os.Rename(temporary, filepath.Join(path, "pubkey3")))
		require.NoError(t, d.Reload())
	}
	readers.Wait()
}

func BenchmarkDirLookup(b *testing.B) {
	path := b.TempDir()
	write(b, path, "pubkey2", pkcs1PEM(publicKey(b, "testRSA2048")))
	d, err := keys.OpenDir(path)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := d.Lookup("2"); !ok {
			b.Fatal("no key")
		}
	}
}
