package dbtest

import (
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// Names of what a program is told that is run once more by a test.
const (
	variableTask     = "DBTEST_TASK"
	variableDriver   = "DBTEST_DRIVER"
	variableDSN      = "DBTEST_DSN"
	variablePostgres = "DBTEST_POSTGRESQL"
)

// Main runs the tests of a package, or the task that [Database.Command] has named.
func Main(m *testing.M, tasks map[string]func(*Database)) {
	if task := tasks[os.Getenv(variableTask)]; task != nil {
		isPostgreSQL, _ := strconv.ParseBool(os.Getenv(variablePostgres)) // ours
		task(&Database{PostgreSQL: isPostgreSQL, Driver: os.Getenv(variableDriver), DSN: os.Getenv(variableDSN)})
		return
	}
	status := m.Run()
	if running != nil {
		running.stop()
	}
	os.Exit(status)
}

// Command returns this program with a task of [Main], to run as another process that
// shares the database.
func (d *Database) Command(task string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), variableTask+"="+task, variableDriver+"="+d.Driver, variableDSN+"="+d.DSN,
		variablePostgres+"="+strconv.FormatBool(d.PostgreSQL))
	cmd.Stderr = os.Stderr
	return cmd
}
