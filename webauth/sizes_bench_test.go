package webauth_test

import (
	"crypto/rand"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// BenchmarkSizes is the memory that a MemoryOneUse takes for what was used. Run it with
// -benchtime 1x.
func BenchmarkSizes(b *testing.B) {
	for _, n := range []int{1e4, 1e5, 1e6} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			m := webauth.NewMemoryOneUse(2*n, nil)
			before := heap()
			for b.Loop() {
				now := time.Now().Add(time.Second)
				for range n {
					require.NoError(b, m.Once(b.Context(), webauth.Item{ID: "response " + rand.Text(), Issued: now, Expires: now.Add(time.Hour)}))
				}
			}
			grown := heap() - before
			runtime.KeepAlive(m)
			b.ReportMetric(grown/float64(n*b.N), "B/each")
			b.ReportMetric(grown/1e6/float64(b.N), "MB")
		})
	}
}

// heap returns how many bytes live on the heap.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
