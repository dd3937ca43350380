package wlsbridge_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/webauth"
)

func TestLogsInAndAnswers(t *testing.T) {
	w := start(t, setup{})
	p := w.person("test0001")
	r := p.success(p.visit(asks()), "")
	assert.Equal(t, "test0001", r.Principal())
	assert.Equal(t, []string{"current"}, r.Ptags())
	assert.Equal(t, "pwd", r.Auth())
	assert.Equal(t, "p-1", r.Params())
	life, ok := r.Life()
	assert.True(t, ok)
	assert.Equal(t, 2*time.Hour, life)

	w.fake.Advance(10 * time.Minute)
	r = p.success(p.visit(asks()), "")
	assert.Empty(t, r.Auth())
	assert.Equal(t, []string{"pwd"}, r.SSO())
	life, _ = r.Life()
	assert.Equal(t, 110*time.Minute, life)
	assert.Equal(t, 1, w.typed())

	r = p.success(p.visit(asks(no)), webauth.IActNo)
	assert.Equal(t, "test0001", r.Principal())

	w.fake.Advance(2 * time.Minute)
	r = p.success(p.visit(asks(yes)), webauth.IActYes)
	assert.Equal(t, "pwd", r.Auth())
	assert.Equal(t, 2, w.typed())
}
