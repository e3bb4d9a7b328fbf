// Holds the dashboard on its standard input against Grafana's schema, as Grafana's own SDK for Go knows it, and
// prints what it does not know: a member that has no place where it stands, a required one that is missing.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	// These know the options of each kind of panel, and Prometheus's queries.
	plugins.RegisterDefaultPlugins()
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	var read dashboard.Dashboard
	for _, err := range []error{read.UnmarshalJSONStrict(text), read.Validate()} {
		// The SDK's list of no faults is an error without a text.
		if err != nil && err.Error() != "" {
			fmt.Println(err)
		}
	}
}
