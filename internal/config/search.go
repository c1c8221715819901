package config

const searchKey = "hands.web.search.api_key"

// chooseSearchKey gives a search engine's key what it falls back to. Without a
// provider there is no search, whatever keys the environment has: it tells a
// stranger what the conversation is about, so the owner must want it.
func (d *decoder) chooseSearchKey(c *Config) {
	s := &c.Hands.Web.Search
	if s.APIKey == "" {
		s.APIKey = c.keyFromEnvironment(s.Provider)
	}
	if _, missed := d.unset[searchKey]; missed && (s.APIKey != "" || s.Provider == "" || s.Provider == "searxng") {
		delete(d.unset, searchKey) // it can do without
	}
}

func (d *decoder) checkSearch(c *Config) {
	s := c.Hands.Web.Search
	_, missed := d.unset[searchKey] // reported already
	switch {
	case s.Provider == "searxng" && s.BaseURL == "":
		d.problem("hands.web.search.provider", "searxng needs hands.web.search.base_url, the address of an instance", "")
	case s.Provider != "" && s.Provider != "searxng" && s.APIKey == "" && !missed:
		d.problem("hands.web.search.provider", s.Provider+" needs hands.web.search.api_key", "")
	}
}

// checkEmbeddings wants a model, and a provider that can make vectors.
func (d *decoder) checkEmbeddings(c *Config) {
	e := c.Memory.Embeddings
	switch {
	case e.Provider == "" && e.Model == "":
		return
	case e.Provider == "":
		d.problem("memory.embeddings.model", "needs memory.embeddings.provider, which says who makes the vectors", "")
		return
	case e.Model == "":
		d.problem("memory.embeddings.provider", "needs memory.embeddings.model, such as nomic-embed-text or text-embedding-3-small", "")
		return
	}
	switch at, known := c.Endpoint(e.Provider); {
	case !known:
		d.problem("memory.embeddings.provider", "is neither openai nor ollama nor a name under providers", "")
	case at.API != "openai" && at.API != "ollama":
		d.problem("memory.embeddings.provider", "has the API "+at.API+", which has no embeddings; choose one with the API openai or ollama", "")
	case at.API == "openai" && at.Name != "openai" && at.BaseURL == "":
		d.problem("memory.embeddings.provider", "has no base_url", "")
	}
}
