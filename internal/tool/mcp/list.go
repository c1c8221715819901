package mcp

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Bounds of what a server may tell of its tools: all of it goes into prompts.
const (
	maxTools       = 128
	maxListPages   = 64
	maxSchema      = 16 << 10
	maxDescription = 1024
)

// list asks for the tools, and leaves out those that no model can be told of.
func (s *server) list(ctx context.Context, session *sdk.ClientSession) ([]*sdk.Tool, error) {
	var all []*sdk.Tool
	params := &sdk.ListToolsParams{}
	for range maxListPages {
		page, err := session.ListTools(ctx, params)
		if err != nil {
			return nil, err
		}
		for _, t := range page.Tools {
			known := slices.ContainsFunc(all, func(k *sdk.Tool) bool { return k.Name == t.Name })
			if t.Name == "" || known {
				continue
			}
			if _, ok := schemaOf(t); !ok {
				s.host.opts.Logger.Warn("mcp tool left out: its schema is none, or too long", "server", s.spec.Name, "tool", clip(t.Name, maxName))
				continue
			}
			all = append(all, t)
		}
		if page.NextCursor == "" || len(all) >= maxTools {
			break
		}
		params = &sdk.ListToolsParams{Cursor: page.NextCursor}
	}
	if len(all) > maxTools {
		s.host.opts.Logger.Warn("mcp server has too many tools; set allowed_tools", "server", s.spec.Name, "limit", maxTools)
		all = all[:maxTools]
	}
	return all, nil
}

// schemaOf returns the schema of a tool's arguments, as an object's.
func schemaOf(t *sdk.Tool) (json.RawMessage, bool) {
	if t.InputSchema == nil {
		return json.RawMessage(`{"type":"object"}`), true
	}
	schema, ok := t.InputSchema.(map[string]any)
	if kind, set := schema["type"]; !ok || set && kind != "object" {
		return nil, false
	}
	schema = maps.Clone(schema) // the SDK may keep it
	schema["type"] = "object"
	delete(schema, "$schema")         // says nothing to a model
	data, err := json.Marshal(schema) // sorted, so that prompts stay the same
	return data, err == nil && len(data) <= maxSchema
}
