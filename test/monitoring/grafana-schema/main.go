// Reads a dashboard from standard input, checks it against the schema of Grafana's Go SDK, and prints unknown and missing
// members.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	// The plugins contain the options of each kind of panel and Prometheus's queries.
	plugins.RegisterDefaultPlugins()
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	var read dashboard.Dashboard
	for _, err := range []error{read.UnmarshalJSONStrict(text), read.Validate()} {
		// An empty list of errors is an error with an empty text.
		if err != nil && err.Error() != "" {
			fmt.Println(err)
		}
	}
}
