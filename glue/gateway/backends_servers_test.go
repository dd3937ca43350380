package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// realBackend is a server as people run it behind a gateway, with a program of ours in it
// that reports what it is told about a request.
type realBackend struct {
	name    string
	pkg     string   // of Debian
	program []string // names that it has; none for what is part of this test
	scheme  string   // that it is spoken to by; empty for http
	script  string   // SCRIPT_NAME of the program, where the server finds one for each request
	folds   string   // what it takes for '-' in the name of a header
	methods []string // that get to the program; nil for all
	whole   bool     // it reads bodies with a length only
	slow    bool     // it starts a program for each request, and gets only some
	command func(s *serving) *exec.Cmd
}

// serving is a realBackend at work, in a directory of its own.
type serving struct {
	t       testing.TB
	program string
	dir     string // what is in testdata/backends, for everybody to read
	addr    string
	seen    string // the file with a line for each request that its program saw
}

var realBackends = []realBackend{
	{name: "gunicorn", pkg: "gunicorn", program: []string{"gunicorn"}, folds: "_", command: func(s *serving) *exec.Cmd {
		return s.cmd("-b", s.addr, "-k", "gthread", "--threads", "4", "--graceful-timeout", "1", "app:app")
	}},
	{name: "waitress", pkg: "python3-waitress", program: []string{"waitress-serve"}, command: func(s *serving) *exec.Cmd {
		return s.cmd("--listen", s.addr, "--threads", "2", "--trusted-proxy", "127.0.0.1",
			"--trusted-proxy-headers", "x-forwarded-for x-forwarded-host x-forwarded-proto", "app:app")
	}},
	{name: "uwsgi", whole: true, pkg: "uwsgi uwsgi-plugin-python3", program: []string{"uwsgi"}, folds: "_", command: func(s *serving) *exec.Cmd {
		return s.cmd("--plugins", "http,python3", "--http", s.addr, "--http-keepalive", "--master", "--die-on-term",
			"--wsgi-file", "app.py", "--callable", "app")
	}},
	{name: "thin", whole: true, pkg: "thin", program: []string{"thin"}, folds: "_", command: func(s *serving) *exec.Cmd {
		host, port := s.hostPort()
		return s.cmd("-a", host, "-p", port, "-R", "config.ru", "-e", "production", "start")
	}},
	{name: "puma", pkg: "puma", program: []string{"puma"}, folds: "_", command: func(s *serving) *exec.Cmd {
		return s.cmd("-b", "tcp://"+s.addr, "-t", "1:4", "-e", "production", "config.ru")
	}},
	{name: "unicorn", pkg: "unicorn", program: []string{"unicorn"}, folds: "_", command: func(s *serving) *exec.Cmd {
		return s.cmd("-l", s.addr, "-E", "production", "config.ru")
	}},
	{name: "node", pkg: "nodejs", program: []string{"node"}, command: func(s *serving) *exec.Cmd {
		_, port := s.hostPort()
		return s.cmd("app.mjs", port)
	}},
	{name: "node by h2c", scheme: schemeH2C, pkg: "nodejs", program: []string{"node"}, command: func(s *serving) *exec.Cmd {
		_, port := s.hostPort()
		return s.cmd("app.mjs", port, schemeH2C)
	}},
	{name: "nginx with php-fpm", pkg: "nginx-light", program: []string{"nginx", "/usr/sbin/nginx"}, script: "/index.php", command: nginxWithPHP},
	{name: "apache with mod_php", pkg: "apache2 libapache2-mod-php", program: []string{"apache2", "/usr/sbin/apache2"}, script: "/index.php", command: apacheWithPHP},
	{name: "lighttpd with php-fpm", pkg: "lighttpd", program: []string{"lighttpd", "/usr/sbin/lighttpd"}, script: "/index.php", folds: "_.!#$%&'*+^`|~", command: lighttpdWithPHP},
	{name: "lighttpd with CGI", pkg: "lighttpd", program: []string{"lighttpd", "/usr/sbin/lighttpd"}, script: "/env.pl", slow: true, command: lighttpdWithCGI},
	{name: "tomcat", pkg: "tomcat10", methods: []string{http.MethodGet, http.MethodHead, http.MethodPost}, program: []string{"/usr/share/tomcat10/bin/catalina.sh"}, command: tomcat},
	{name: "go"},
}

// start runs the server until the test ends.
func (b *realBackend) start(t testing.TB) *serving {
	t.Helper()
	s := &serving{t: t}
	if b.command == nil {
		s.seen = filepath.Join(t.TempDir(), "seen")
		s.serveGo()
		return s
	}
	s.program = frontProgram(t, b.pkg, b.program...)
	s.dir = sharedDir(t)
	s.seen = filepath.Join(s.dir, "seen")
	require.NoError(t, os.CopyFS(s.dir, os.DirFS(filepath.Join("testdata", "backends"))))
	for range 3 { // the port may be somebody else's by the time that the server takes it
		s.addr = freeAddr(t)
		if startProgram(t, s.addr, b.command(s)) {
			return s
		}
	}
	require.FailNow(t, b.name+" does not start")
	return nil
}

// sharedDir makes a directory in which also a server may write that has given up being
// root.
func sharedDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o711))
	require.NoError(t, os.Chmod(dir, 0o777))
	return dir
}

// cmd is the program with arguments, in the server's directory.
func (s *serving) cmd(args ...string) *exec.Cmd { return s.run(s.program, args...) }

func (s *serving) run(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "BACKEND_SEEN="+s.seen, "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH="+s.dir)
	return cmd
}

func (s *serving) hostPort() (host, port string) {
	host, port, err := net.SplitHostPort(s.addr)
	require.NoError(s.t, err)
	return host, port
}

// write makes a file in the server's directory, with its own values in place of words
// such as {dir}.
func (s *serving) write(name, text string) string {
	_, port := s.hostPort()
	text = strings.NewReplacer("{dir}", s.dir, "{port}", port, "{seen}", s.seen).Replace(text)
	name = filepath.Join(s.dir, name)
	require.NoError(s.t, os.WriteFile(name, []byte(text), 0o644))
	return name
}

// worker is who a server is to be that must not be root: www-data, where the test is.
func worker(directive string) string {
	if os.Geteuid() != 0 {
		return ""
	}
	if _, err := user.Lookup("www-data"); err != nil {
		return ""
	}
	return directive
}

// startFPM starts php-fpm beside a server that hands requests on to it.
func (s *serving) startFPM() {
	s.t.Helper()
	program := frontProgram(s.t, "php-fpm", "php-fpm8.2", "php-fpm", "/usr/sbin/php-fpm8.2", "/usr/sbin/php-fpm")
	socket := filepath.Join(s.dir, "fpm.sock")
	config := s.write("fpm.conf", `[global]
error_log = /dev/stderr
daemonize = no
[www]
`+worker("user = www-data\n")+`listen = {dir}/fpm.sock
listen.mode = 0666
pm = static
pm.max_children = 2
`)
	require.True(s.t, startProgramAt(s.t, "unix", socket, s.run(program, "-F", "-y", config)), "php-fpm does not start")
}

// nginxWithPHP has a front controller, as its documentation shows it.
func nginxWithPHP(s *serving) *exec.Cmd {
	s.startFPM()
	config := s.write("nginx.conf", `daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	server {
		listen 127.0.0.1:{port};
		root {dir};
		location / { try_files /none /index.php$is_args$args; }
		location ~ \.php(/|$) {
			fastcgi_split_path_info ^(.+?\.php)(/.*)$;
			include /etc/nginx/fastcgi_params;
			fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
			fastcgi_param PATH_INFO $fastcgi_path_info;
			fastcgi_param BACKEND_SEEN {seen};
			fastcgi_pass unix:{dir}/fpm.sock;
		}
	}
}
`)
	return s.cmd("-p", s.dir, "-c", config, "-e", "stderr")
}

// apacheConfig is a server on its own, with modules.
func apacheConfig(modules ...string) string {
	var b strings.Builder
	b.WriteString(`ServerRoot {dir}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {dir}/httpd.pid
ErrorLog /dev/stderr
` + worker("User www-data\nGroup www-data\n"))
	for _, m := range append([]string{"mpm_prefork:mod_mpm_prefork", "authz_core:mod_authz_core", "mime:mod_mime", "alias:mod_alias"}, modules...) {
		name, file, _ := strings.Cut(m, ":")
		fmt.Fprintf(&b, "LoadModule %s_module /usr/lib/apache2/modules/%s.so\n", name, file)
	}
	b.WriteString(`TypesConfig /etc/mime.types
StartServers 2
DocumentRoot {dir}
`)
	return b.String()
}

// apacheWithPHP has a front controller.
func apacheWithPHP(s *serving) *exec.Cmd {
	found, err := filepath.Glob("/usr/lib/apache2/modules/libphp*.so")
	require.NoError(s.t, err)
	if len(found) == 0 {
		frontProgram(s.t, "libapache2-mod-php", "libphp.so")
	}
	config := s.write("httpd.conf", apacheConfig("dir:mod_dir", "env:mod_env", "php:"+strings.TrimSuffix(filepath.Base(found[0]), ".so"))+`
SetEnv BACKEND_SEEN {seen}
AddHandler application/x-httpd-php .php
<Directory {dir}>
	Require all granted
	FallbackResource /index.php
</Directory>
`)
	return s.apache(config)
}

// apache runs it in a process group of its own: when it ends it sends a signal to all of
// that, which would be us too.
func (s *serving) apache(config string) *exec.Cmd {
	return s.run("setsid", s.program, "-D", "FOREGROUND", "-f", config)
}

const lighttpdConfig = `server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{dir}"
server.errorlog = "/dev/stderr"
setenv.set-environment = ( "BACKEND_SEEN" => "{seen}" )
`

// lighttpdWithPHP has a front controller.
func lighttpdWithPHP(s *serving) *exec.Cmd {
	s.startFPM()
	return s.cmd("-D", "-f", s.write("lighttpd.conf", lighttpdConfig+`
server.modules = ( "mod_setenv", "mod_rewrite", "mod_fastcgi" )
url.rewrite-once = ( "^/index\.php.*" => "$0", "^/[^?]*(\?.*)?$" => "/index.php$1" )
fastcgi.server = ( ".php" => (( "socket" => "{dir}/fpm.sock" )) )
`))
}

// lighttpdWithCGI has one program below which all paths are.
func lighttpdWithCGI(s *serving) *exec.Cmd {
	return s.cmd("-D", "-f", s.write("lighttpd.conf", lighttpdConfig+`
server.modules = ( "mod_setenv", "mod_rewrite", "mod_cgi" )
url.rewrite-once = ( "^/.*" => "/env.pl$0" )
cgi.assign = ( ".pl" => "/usr/bin/perl" )
`))
}

// tomcat has one servlet for all paths, and believes the gateway as its documentation
// shows it.
func tomcat(s *serving) *exec.Cmd {
	for _, dir := range []string{"conf", "logs", "temp", "work", "webapps"} {
		require.NoError(s.t, os.MkdirAll(filepath.Join(s.dir, dir), 0o755))
	}
	for from, to := range map[string]string{"server.xml": "conf/server.xml", "webapp": "webapps/ROOT"} {
		if to = filepath.Join(s.dir, to); exists(to) {
			continue // from an attempt at another port
		}
		require.NoError(s.t, os.Rename(filepath.Join(s.dir, from), to))
	}
	_, port := s.hostPort()
	cmd := s.cmd("run")
	cmd.Env = append(cmd.Env, "CATALINA_BASE="+s.dir, "CATALINA_OPTS=-Dbackend.port="+port+" -XX:TieredStopAtLevel=1 -Xmx256m")
	return cmd
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// serveGo is a Go program that reports what it is told, by the names of CGI. What is in
// no name of a CGI variable is escaped, so that two headers stay two.
func (s *serving) serveGo() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(s.t, err)
	s.addr = l.Addr().String()
	var mu sync.Mutex
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // it did not arrive whole
		}
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		env := map[string]string{
			"REQUEST_METHOD": r.Method, "REQUEST_URI": r.RequestURI, "PATH_INFO": r.URL.Path, "HTTP_HOST": r.Host, "REMOTE_ADDR": host,
		}
		for name, values := range r.Header {
			env["HTTP_"+strings.NewReplacer("%", "%25", "_", "%5F", "-", "_").Replace(strings.ToUpper(name))] = strings.Join(values, ", ")
		}
		sum := sha256.Sum256(body)
		line, err := json.Marshal(belief{Env: env, Length: len(body), SHA256: hex.EncodeToString(sum[:])})
		assert.NoError(s.t, err)
		mu.Lock()
		defer mu.Unlock()
		seen, err := os.OpenFile(s.seen, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		assert.NoError(s.t, err)
		defer seen.Close()
		_, err = seen.Write(append(line, '\n'))
		assert.NoError(s.t, err)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(line)
	})}
	go func() { _ = server.Serve(l) }()
	s.t.Cleanup(func() { _ = server.Close() })
}
