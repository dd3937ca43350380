package gateway_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/gateway"
)

// exampleFile writes a configuration into a directory of its own.
func exampleFile(text string) (dir, file string) {
	dir, err := os.MkdirTemp("", "gateway")
	if err != nil {
		log.Fatal(err)
	}
	file = filepath.Join(dir, "gateway.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		log.Fatal(err)
	}
	return dir, file
}

const exampleConfig = `base-url = "http://localhost:8080"
wls = "raven-demo"
secret-file = "secret"
log.access = "off"
[[rule]]
path = "/"
access = "public"
to = "http://127.0.0.1:8000"
`

func ExampleLoad() {
	dir, file := exampleFile("base-url = \"http://soc.example\"\nwls = \"raven\"\nsecret-file = \"secret\"\n[[rule]]\npath = \"/\"\nacess = \"login\"\n")
	defer os.RemoveAll(dir)

	_, err := gateway.Load(file)
	found := gateway.Findings(err)
	for _, f := range found {
		fmt.Println(strings.TrimPrefix(f.Place, file)+":", f.Key)
	}
	fmt.Println(found[len(found)-1].Text)
	// Output:
	// :1:12: base-url
	// :4:3: rule[1].to
	// :6:1: rule[1].acess
	// this key is unknown: did you mean "access"?
}

func ExampleConfig_Show() {
	dir, file := exampleFile(exampleConfig)
	defer os.RemoveAll(dir)

	cfg, err := gateway.Load(file)
	if err != nil {
		log.Fatal(err)
	}
	var text strings.Builder
	if err := cfg.Show(&text); err != nil {
		log.Fatal(err)
	}
	before, _, _ := strings.Cut(text.String(), "\n\n[identity]")
	_, session, _ := strings.Cut(before, "\n[session]")
	fmt.Println("[session]" + session)
	// Output:
	// [session]
	// max-life = '2h'
	// response-max-age = '30s'
	// clock-skew = '5s'
}

func ExampleCheck() {
	dir, file := exampleFile(exampleConfig)
	defer os.RemoveAll(dir)

	cfg, err := gateway.Load(file)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range gateway.Check(*cfg) {
		fmt.Println(strings.TrimPrefix(f.Place, file)+":", f.Severity, f.Key)
	}
	// Output:
	// :2:7: warning wls
	// :7:10: warning rule[1].access
	// :3:15: note secret-file
	// :8:6: note rule[1].to
}

func ExampleFindings() {
	_, err := gateway.New(gateway.Config{BaseURL: "https://soc.example", WLS: "raven", SecretFile: "secret"})
	for _, f := range gateway.Findings(err) {
		fmt.Println(f)
	}
	// Output:
	// error: rule: there is none: add a [[rule]] with path, access and to
}

func ExampleServer() {
	dir, file := exampleFile(exampleConfig)
	defer os.RemoveAll(dir)

	cfg, err := gateway.Load(file)
	if err != nil {
		log.Fatal(err)
	}
	g, err := gateway.New(*cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	// Without the socket that is passed it would listen at localhost:8080, as the site's
	// address says.
	server, err := gateway.NewServer(g, *cfg, map[string][]net.Listener{"http": {l}})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx) }()

	resp, err := http.Get("http://" + server.Addrs("http")[0].String() + "/")
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	fmt.Println(resp.Status) // the site is at localhost:8080 only

	stop()
	fmt.Println(<-ended)
	// Output:
	// 421 Misdirected Request
	// <nil>
}
