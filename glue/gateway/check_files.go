package gateway

import (
	"os"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/listen"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
)

// tryFiles makes a gateway that writes nothing.
func (k *checker) tryFiles() {
	k.common().Try(&k.Report, func(shared serve.Config) {
		cfg := *k.Config
		cfg.setCommon(&shared)
		g, err := New(cfg)
		if err != nil {
			k.Findings = append(k.Findings, Findings(err)...)
			return
		}
		k.Findings = append(k.Findings, g.core.Load().noted...)
		if err := g.Close(); err != nil {
			k.Errorf("", "%v", err)
		}
	})
}

// trySockets looks at the sockets of backends.
func (k *checker) trySockets() {
	for i, r := range k.Rules {
		path, ok := strings.CutPrefix(r.To, listen.Unix)
		if !ok {
			continue
		}
		key := ruleKey(i, "to")
		info, err := os.Stat(path)
		switch {
		case err != nil:
			k.Notef(key, "%s cannot be found now: until it is there, people see an error", path)
		case info.Mode().Type() != os.ModeSocket:
			k.Warnf(key, "%s is no socket", path)
		case info.Mode().Perm()&0o002 != 0:
			k.Warnf(key, "everybody on this machine can reach %s and claim to be anybody%s", path, k.claims())
		}
	}
}
