//go:build !race

package model

const big = 1
