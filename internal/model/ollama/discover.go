package ollama

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
	"github.com/openclaw/openclaw-go/internal/model/loose"
)

// Bounds on what a server may say of its models.
const (
	maxListing = 4 << 20 // bytes
	maxModels  = 1000
)

// traits are what is known of one model.
type traits struct {
	asked   bool // the server has said what follows
	length  int  // the context it was made for, in tokens; 0: not known
	chosen  int  // the context its Modelfile asks for; 0: none
	can     []string
	refused quirks
	given   int // the context of the last request
}

// lacks says whether the model is known not to have a capability.
func (t traits) lacks(capability string) bool {
	return len(t.can) > 0 && !slices.Contains(t.can, capability)
}

// Models implements openclaw.Model: the models of Options, and those the
// server listed when it was last asked.
func (a *Adapter) Models() []openclaw.ModelInfo {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := slices.Clone(a.given)
	for _, name := range a.installed {
		if !slices.ContainsFunc(list, func(m openclaw.ModelInfo) bool { return m.ID == name }) {
			list = append(list, openclaw.ModelInfo{ID: name})
		}
	}
	for i := range list {
		list[i].ContextWindow = a.largest(list[i].ID)
	}
	return list
}

// Discover asks the server which models it has, and returns their number. It
// returns when ctx ends.
func (a *Adapter) Discover(ctx context.Context) (int, error) {
	x := a.end.Begin(ctx)
	defer x.End()
	names, err := a.list(x)
	return len(names), err
}

// Preferred returns the model to use where none is named: the one the server
// listed first, which was installed last. It is Newest as long as the server
// has not been asked.
func (a *Adapter) Preferred() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.installed) == 0 {
		return Newest
	}
	return a.installed[0]
}

// list asks for the installed models, the newest first. Those that only embed
// are left out.
func (a *Adapter) list(x *endpoint.Exchange) ([]string, error) {
	resp, err := x.Get(a.end.At("/api/tags", ""))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		text, err := x.Refusal(resp)
		if err != nil {
			return nil, err
		}
		return nil, a.end.Refused(resp, text, "")
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxListing))
	if err != nil {
		return nil, x.Broken(err)
	}
	var tags struct {
		Models []struct {
			Name    loose.Text `json:"name"`
			Details struct {
				Family loose.Text `json:"family"`
			} `json:"details"`
		} `json:"models"`
	}
	if loose.Unmarshal(data, &tags) != nil {
		return nil, a.end.Failure(openclaw.FailureBadRequest, 0, "answered with something that is no list of models; check base_url")
	}
	var names []string
	for _, m := range tags.Models {
		if name := string(m.Name); name != "" && !embeds(name, string(m.Details.Family)) && len(names) < maxModels {
			names = append(names, name)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.installed = names
	return names, nil
}

// embeds says whether a model makes vectors and no texts.
func embeds(name, family string) bool {
	return strings.Contains(strings.ToLower(name), "embed") || strings.Contains(strings.ToLower(family), "bert")
}

// learn asks the server what a model is and can do, once.
func (a *Adapter) learn(x *endpoint.Exchange, model string) error {
	if t := a.traits(model); t.asked {
		return nil
	}
	payload, _ := json.Marshal(map[string]string{"model": model}, jsontext.AllowInvalidUTF8(true)) // a string cannot fail
	resp, err := x.Post(a.end.At("/api/show", ""), payload)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		text, err := x.Refusal(resp)
		if err != nil {
			return err
		}
		if strings.Contains(strings.ToLower(string(text)), "model") && resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusUnauthorized {
			return a.end.Refused(resp, text, model)
		}
		return nil // a server without /api/show may still answer
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxListing))
	if err != nil {
		return x.Broken(err)
	}
	a.update(model, func(t *traits) { t.read(data) })
	return nil
}

// read takes in an answer of /api/show.
func (t *traits) read(data []byte) {
	var shown struct {
		Info         map[string]jsontext.Value `json:"model_info"`
		Capabilities []string                  `json:"capabilities"`
		Parameters   loose.Text                `json:"parameters"`
	}
	t.asked = true
	if loose.Unmarshal(data, &shown) != nil {
		return
	}
	t.can = shown.Capabilities
	for key, value := range shown.Info { // such as "llama.context_length"
		if strings.HasSuffix(key, ".context_length") {
			var n loose.Count
			_ = n.UnmarshalJSON(value) // which never fails
			t.length = int(n)
		}
	}
	for line := range strings.Lines(string(shown.Parameters)) {
		if words := strings.Fields(line); len(words) == 2 && words[0] == "num_ctx" {
			t.chosen, _ = strconv.Atoi(words[1])
		}
	}
}

// newest finds the model that Newest stands for.
func (a *Adapter) newest(x *endpoint.Exchange) (string, error) {
	names, err := a.list(x)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		e := a.end.Failure(openclaw.FailureBadRequest, 0, "has no model; get one with `ollama pull`")
		e.Code = openclaw.CodeModelNotFound
		return "", e
	}
	const looked = 8 // each costs a request, though a small one, once
	for _, name := range names[:min(len(names), looked)] {
		if err := a.learn(x, name); err != nil {
			return "", err
		}
		if t := a.traits(name); !t.lacks("tools") {
			return name, nil
		}
	}
	return names[0], nil
}

func (a *Adapter) traits(model string) traits {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.known[model]; t != nil {
		return *t
	}
	return traits{}
}

func (a *Adapter) update(model string, change func(*traits)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.known[model]
	if t == nil {
		if len(a.known) >= maxModels {
			clear(a.known)
		}
		t = &traits{}
		a.known[model] = t
	}
	change(t)
}
