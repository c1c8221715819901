// Package mcp holds tests of the MCP client against servers, and a suite for
// clients, that nobody here wrote: @modelcontextprotocol/server-everything,
// server-filesystem and conformance. `npm ci --prefix foreign/mcp` installs
// them; without them the tests skip, or fail where CI_FOREIGN=1 says that they
// must be there.
//
// The package contains no code besides its tests. The client's own behaviour
// is tested beside it, in internal/tool/mcp.
package mcp
