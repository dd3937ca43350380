package gateway

import (
	"reflect"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
)

// Load reads a configuration file. It fills in the defaults, makes paths absolute and
// reports every mistake with its place: see [Findings]. A file whose last line has no end is
// refused, since that is how one looks that is being written; to be safe, replace files by
// renaming new ones. Files that the configuration names are not looked at yet; [New] does.
func Load(path string) (*Config, error) {
	c := &Config{}
	file, found, err := config.Read(path, c, map[reflect.Type]string{
		reflect.TypeFor[Duration]():    `a duration such as "90s"`,
		reflect.TypeFor[CrossOrigin](): `true, false or an array of origins such as "https://app.example"`,
	})
	if err != nil {
		return nil, err
	}
	c.file = file
	for _, f := range c.check().Findings {
		if !file.Refused(f.Key) {
			found = append(found, f)
		}
	}
	if err := file.Err(found); err != nil {
		return nil, err
	}
	return c, nil
}
