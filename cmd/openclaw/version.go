package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (c *cli) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show the version", Args: takes(),
		RunE: func(*cobra.Command, []string) error {
			commit := ""
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						commit = s.Value
					}
				}
			}
			platform := runtime.GOOS + "/" + runtime.GOARCH
			return c.say(map[string]any{"version": version, "commit": commit, "go": runtime.Version(), "platform": platform},
				"openclaw %s (%s, %s)", version, runtime.Version(), platform)
		},
	}
}
