package model_test

import (
	"fmt"

	"github.com/ucam-webauth/go-webauth/glue/internal/model"
)

// A site that accepts any version of a response lets in people who have left.
func ExampleModel_Explore() {
	m := model.Model{
		Scenario: model.Scenario{Tabs: 1, Tokens: 1, Answers: 1, Powers: model.HasAccount},
		Rules:    model.AllRules &^ model.Version,
	}
	report := m.Explore()
	fmt.Println(report.Broken.Name)
	for _, step := range report.Trace {
		fmt.Println("-", step)
	}
	// Output:
	// nobody without ptag current gets in
	// - attacker: gets token 1 for /lax from the site
	// - attacker: logs in at the WLS, keeps response 1 (url /lax, token 1, version 1)
	// - attacker: brings response 1 to /lax: a session starts
}
