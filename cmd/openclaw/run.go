package main

import (
	"cmp"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/protocol"
)

// run carries out one command line and returns the exit code: 0 success, 1
// general, 2 configuration, 3 gateway not running, 4 authentication, 5
// network, and 128 + n after signal n. It blocks until the command is over.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &cli{stdin: stdin, stdout: stdout, stderr: stderr, environ: os.Environ()}
	if args == nil {
		args = []string{} // nil would make cobra look at os.Args
	}
	root := c.rootCommand()
	root.SetArgs(args)
	c.flags.json = asksForJSON(args) // also where the flags cannot be parsed
	return c.report(root.ExecuteContext(ctx))
}

// cli is one invocation of the command line.
type cli struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	flags          globalFlags

	// abandoned says that somebody asked twice to stop: nothing is waited for
	// any more.
	abandoned bool

	// notify gets what answers no request, on connections made from now on; nil:
	// nobody wants it.
	notify func(protocol.Message)
}

// globalFlags are the flags of every command.
type globalFlags struct {
	config, url, token            string
	json, quiet, verbose, noColor bool
}

func (c *cli) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "openclaw",
		Short: "A personal AI agent behind a WebSocket gateway",
		Long: "OpenClaw is a personal AI agent that runs on your own computer.\n\n" +
			"Try: openclaw chat \"What files are in my home directory?\"\n" +
			"It needs no key and no running gateway for that.",
		Version:       version,
		SilenceErrors: true, // report prints them
		SilenceUsage:  true,
		Args:          knownSubcommand,
		RunE:          showHelp,
	}
	root.SetIn(c.stdin)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	flags.StringVar(&c.flags.config, "config", "", "configuration `file` (default ~/.openclaw/config.yml)")
	flags.StringVar(&c.flags.url, "url", "", "gateway to talk to, as ws://host:port (default: the configured one)")
	flags.StringVar(&c.flags.token, "token", "", "the gateway's token; OPENCLAW_AUTH_TOKEN keeps it out of the process list")
	flags.BoolVar(&c.flags.json, "json", false, "print one JSON document and nothing else")
	flags.BoolVarP(&c.flags.quiet, "quiet", "q", false, "print the result only")
	flags.BoolVarP(&c.flags.verbose, "verbose", "v", false, "print more; log at level debug")
	flags.BoolVar(&c.flags.noColor, "no-color", false, "no colours (NO_COLOR does the same)")
	root.AddCommand(
		c.chatCommand(),
		c.gatewayCommand(),
		c.statusCommand(),
		c.sessionCommand(),
		c.skillCommand(),
		c.heartbeatCommand(),
		c.cronCommand(),
		c.memoryCommand(),
		c.configCommand(),
		c.logsCommand(),
		c.doctorCommand(),
		c.statsCommand(),
		c.versionCommand(),
		c.approvalsCommand(),
		c.securityCommand(),
	)
	return root
}

// group is a command that only has subcommands.
func group(use, short string, subcommands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: knownSubcommand, RunE: showHelp}
	cmd.AddCommand(subcommands...)
	return cmd
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// configOptions say where the configuration comes from.
func (c *cli) configOptions() config.Options {
	o := config.Options{Path: c.absolute(cmp.Or(c.flags.config, c.env("OPENCLAW_CONFIG_PATH"))), Environ: c.environ, Check: checkConfig}
	if c.flags.verbose {
		o.Overrides = map[string]string{"logging.level": "debug"}
	}
	return o
}

// load reads the configuration; the error is of type config.Problems.
func (c *cli) load() (*config.Config, []config.Warning, error) {
	return config.Load(c.configOptions())
}

// absolute returns the name of a configuration file so that it means the same
// in every directory; one in the home directory stays as it is.
func (c *cli) absolute(path string) string {
	if path == "" || strings.HasPrefix(path, "~/") {
		return path
	}
	whole, err := filepath.Abs(path)
	if err != nil { // the working directory is gone; reading the file says so
		return path
	}
	return whole
}
