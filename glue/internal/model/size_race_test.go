//go:build race

package model

// The race detector makes exploring several times slower and has nothing to find in
// it, so the largest scenarios are smaller under it.
const big = 0
