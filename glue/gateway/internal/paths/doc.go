// Package paths knows the one form of a path that rules are matched with, and what else
// a backend may take such a path for.
package paths
