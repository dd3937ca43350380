package password_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/ucam-webauth/go-webauth/glue/password"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// oneRobot stands for a look into the site's own password file or directory.
func oneRobot(_ context.Context, name, password string) (bool, error) {
	return name == "robot" && password == "beep", nil
}

func ExampleChecker_Basic() {
	soc, err := site.New(site.Config{BaseURL: "https://soc.example"})
	if err != nil {
		log.Fatal(err)
	}
	checker, err := password.New(password.Config{Site: soc, Check: oneRobot})
	if err != nil {
		log.Fatal(err)
	}
	handler := soc.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, no := checker.Basic(r, "Robots")
		if no != nil {
			no.Answer(soc, w, r)
			return
		}
		fmt.Fprintf(w, "Hello, %s.", user)
	}))
	for _, password := range []string{"beep", "boop"} {
		r := httptest.NewRequest(http.MethodGet, "https://soc.example/", nil)
		r.SetBasicAuth("robot", password)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 Hello, robot.
	// 401 Please log in first.
}

// The form's handlers, where nobody has logged in yet.
func ExampleForm() {
	soc, err := site.New(site.Config{
		BaseURL: "https://soc.example",
		Secret:  "5f1c0a1d9a6e4b7c8d2e3f405162738495a6b7c8d9eafb0c1d2e3f4051627384", // read it from a file
	})
	if err != nil {
		log.Fatal(err)
	}
	checker, err := password.New(password.Config{Site: soc, Check: oneRobot})
	if err != nil {
		log.Fatal(err)
	}
	form, err := password.NewForm(checker, password.FormConfig{})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/login", form.Login)
	mux.HandleFunc("/logout", form.Logout)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if id, known := form.Session(r); known {
			fmt.Fprintf(w, "Hello, %s.", id.Principal)
		} else if !form.Ask(w, r) {
			http.Error(w, "Please log in first.", http.StatusUnauthorized)
		}
	})
	for _, path := range []string{"/login?next=/private", "/login?next=//evil.example", "/logout", "/private"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://soc.example"+path, nil))
		fmt.Println(path, w.Code, w.Header().Get("Cache-Control"))
	}
	// Output:
	// /login?next=/private 200 no-store
	// /login?next=//evil.example 400 no-store
	// /logout 200 no-store
	// /private 401
}
