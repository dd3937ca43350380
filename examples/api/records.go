package main

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
)

// record is a note of somebody.
type record struct {
	ID      int       `json:"id"`
	Title   string    `json:"title"`
	Text    string    `json:"text"`
	Changed time.Time `json:"changed"`
}

// records are everybody's, in memory, and the API to them. Everybody has their own.
type records struct {
	now func() time.Time

	mu   sync.Mutex
	last int
	of   map[string][]record // by principal
}

// Bounds of what people keep.
const (
	maxRecords    = 100      // of one person
	maxRecordJSON = 16 << 10 // bytes
	maxTitle      = 100      // bytes
	maxText       = 10_000   // bytes
)

func newRecords(now func() time.Time) *records {
	return &records{now: now, of: map[string][]record{}}
}

var (
	errNoRecord  = errors.New("you have no such record")
	errTooMany   = errors.New("you have as many records as this site keeps")
	errBadRecord = errors.New("a record needs a title of at most 100 bytes and a text of at most 10,000")
)

func (rs *records) list(principal string) []record {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return slices.Clone(rs.of[principal])
}

// put adds a record, or changes the one with its id.
func (rs *records) put(principal string, rec record) (record, error) {
	rec.Title, rec.Text = strings.TrimSpace(rec.Title), strings.TrimSpace(rec.Text)
	if rec.Title == "" || len(rec.Title) > maxTitle || len(rec.Text) > maxText {
		return record{}, errBadRecord
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rec.Changed = rs.now().UTC().Truncate(time.Second)
	mine := rs.of[principal]
	if rec.ID != 0 {
		i := find(mine, rec.ID)
		if i < 0 {
			return record{}, errNoRecord
		}
		mine[i] = rec
		return rec, nil
	}
	if len(mine) >= maxRecords {
		return record{}, errTooMany
	}
	rs.last++
	rec.ID = rs.last
	rs.of[principal] = append(mine, rec)
	return rec, nil
}

func (rs *records) get(principal string, id int) (record, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	i := find(rs.of[principal], id)
	if i < 0 {
		return record{}, errNoRecord
	}
	return rs.of[principal][i], nil
}

func (rs *records) remove(principal string, id int) error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	i := find(rs.of[principal], id)
	if i < 0 {
		return errNoRecord
	}
	rs.of[principal] = slices.Delete(rs.of[principal], i, i+1)
	return nil
}

func find(mine []record, id int) int {
	return slices.IndexFunc(mine, func(r record) bool { return r.ID == id })
}

// statistics tells nobody's records, only how many there are.
func (rs *records) statistics() map[string]int {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	n := map[string]int{"people": len(rs.of), "records": 0}
	for _, mine := range rs.of {
		n["records"] += len(mine)
	}
	return n
}

// The API. Who may call what is decided around these handlers; whose records they are
// about is the person's whom the token, or the session, stands for.

func (rs *records) serveList(w http.ResponseWriter, r *http.Request) {
	mine := rs.list(whose(r))
	if mine == nil {
		mine = []record{}
	}
	reply(w, http.StatusOK, map[string]any{"records": mine}, nil)
}

func (rs *records) serveOne(w http.ResponseWriter, r *http.Request) {
	rec, err := rs.get(whose(r), idOf(r))
	reply(w, http.StatusOK, rec, err)
}

// serveAdd and serveChange take a title and a text.
func (rs *records) serveAdd(w http.ResponseWriter, r *http.Request) {
	rec, err := readRecord(w, r)
	if err == nil {
		rec, err = rs.put(whose(r), rec)
	}
	if err == nil {
		w.Header().Set("Location", "/api/records/"+strconv.Itoa(rec.ID))
	}
	reply(w, http.StatusCreated, rec, err)
}

func (rs *records) serveChange(w http.ResponseWriter, r *http.Request) {
	rec, err := readRecord(w, r)
	if err == nil {
		_, err = rs.get(whose(r), idOf(r)) // 0, an id that there is not, would add one
	}
	if err == nil {
		rec.ID = idOf(r)
		rec, err = rs.put(whose(r), rec)
	}
	reply(w, http.StatusOK, rec, err)
}

func (rs *records) serveRemove(w http.ResponseWriter, r *http.Request) {
	if err := rs.remove(whose(r), idOf(r)); err != nil {
		reply(w, 0, nil, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (rs *records) serveStatistics(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, rs.statistics(), nil)
}

func serveWho(w http.ResponseWriter, r *http.Request) {
	reply(w, http.StatusOK, map[string]string{"principal": whose(r)}, nil)
}

// whose is the person: the same function for tokens and for sessions.
func whose(r *http.Request) string {
	id, _ := glue.IdentityFrom(r.Context()) // always there, under RequireAPI
	return id.Principal
}

// idOf is 0, which no record has, where the path has no id.
func idOf(r *http.Request) int {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || strconv.Itoa(id) != r.PathValue("id") {
		return 0
	}
	return id
}

var (
	errMediaType = errors.New("send a JSON object, with Content-Type: application/json")
	errJSON      = errors.New(`send one JSON object with "title" and "text", of at most 16 KiB`)
)

func readRecord(w http.ResponseWriter, r *http.Request) (record, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return record{}, errMediaType
	}
	var given struct {
		Title string `json:"title"`
		Text  string `json:"text"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRecordJSON))
	d.DisallowUnknownFields()
	if err := d.Decode(&given); err != nil {
		return record{}, errJSON
	}
	if _, err := d.Token(); err != io.EOF {
		return record{}, errJSON
	}
	return record{Title: given.Title, Text: given.Text}, nil
}

var statuses = map[error]int{
	errNoRecord: http.StatusNotFound, errTooMany: http.StatusConflict, errBadRecord: http.StatusUnprocessableEntity,
	errMediaType: http.StatusUnsupportedMediaType, errJSON: http.StatusBadRequest,
	errNoToken: http.StatusUnauthorized, errBadToken: http.StatusUnauthorized, errNotAllowed: http.StatusForbidden,
	errNoAnswer: http.StatusServiceUnavailable,
}

// reply answers with a status and a value, or with one of the errors above.
func reply(w http.ResponseWriter, status int, v any, refused error) {
	if refused != nil {
		status, v = statuses[refused], map[string]string{"error": refused.Error()}
	}
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		http.Error(w, "the answer is out of order", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client's loss if it has gone
}
