// Package words says to people what several packages and programs of this module have to say:
// how long something takes, and which name was meant.
//
// It is public only because nothing internal is in reach of all of them. It is no part of what
// this module promises to keep.
package words
