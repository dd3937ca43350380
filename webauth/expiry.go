package webauth

import "container/heap"

// expiryQueue holds marks by the second of their expiry. It moves none of them ever again:
// one heap of a million takes milliseconds when it grows, and everybody waits.
type expiryQueue struct {
	seconds secondHeap
	at      map[int64]*second
}

// second is the marks that expire in one second.
type second struct {
	unix  int64
	marks *chunk // the one that is being filled
}

// chunk is a list of marks. Each one of a second is twice as large as the one before, up to
// largestChunk, so that few marks take little memory and many take few chunks.
type chunk struct {
	marks []mark
	next  *chunk
}

const smallestChunk, largestChunk = 2, 256

// add puts a mark in.
func (q *expiryQueue) add(k mark, expires int64) {
	s := q.at[expires]
	if s == nil {
		s = &second{unix: expires, marks: &chunk{marks: make([]mark, 0, smallestChunk)}}
		if q.at == nil {
			q.at = map[int64]*second{}
		}
		q.at[expires] = s
		heap.Push(&q.seconds, s)
	}
	if size := cap(s.marks.marks); len(s.marks.marks) == size {
		s.marks = &chunk{marks: make([]mark, 0, min(2*size, largestChunk)), next: s.marks}
	}
	s.marks.marks = append(s.marks.marks, k)
}

// popBefore takes a mark out that expired before now, and returns it and when it expired.
func (q *expiryQueue) popBefore(now int64) (k mark, expired int64, ok bool) {
	if len(q.seconds) == 0 || q.seconds[0].unix >= now {
		return mark{}, 0, false
	}
	s := q.seconds[0]
	last := len(s.marks.marks) - 1
	k = s.marks.marks[last]
	s.marks.marks = s.marks.marks[:last]
	if last == 0 {
		if s.marks = s.marks.next; s.marks == nil {
			heap.Pop(&q.seconds)
			delete(q.at, s.unix)
		}
	}
	return k, s.unix, true
}

// secondHeap is a heap, the first to expire on top.
type secondHeap []*second

func (h secondHeap) Len() int           { return len(h) }
func (h secondHeap) Less(i, j int) bool { return h[i].unix < h[j].unix }
func (h secondHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *secondHeap) Push(x any)        { *h = append(*h, x.(*second)) }
func (h *secondHeap) Pop() any {
	last := len(*h) - 1
	s := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return s
}
