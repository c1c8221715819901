package openai

import (
	"time"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/modeltest"
)

const (
	unavailable = openclaw.CodeModelUnavailable
	overflow    = openclaw.CodeContextOverflow
	notFound    = openclaw.CodeModelNotFound
	modelError  = openclaw.CodeModelError
)

// failures are refusals in the words of the servers that give them.
var failures = []modeltest.Failure{
	{Name: "openai key", Status: 401, Body: `{"error":{"message":"Incorrect API key provided: sk-secre*0123. You can find your API key at https://platform.openai.com/account/api-keys.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`,
		Code: unavailable, Kind: openclaw.FailureAuth, Says: "the test API refused the key; set providers.test.api_key"},
	{Name: "forbidden", Status: 403, Body: `{"error":{"message":"Country, region, or territory not supported","type":"request_forbidden","code":"unsupported_country_region_territory"}}`,
		Code: unavailable, Kind: openclaw.FailureAuth, Says: "Country, region, or territory not supported"},
	{Name: "openrouter credits", Status: 402, Body: `{"error":{"message":"Insufficient credits","code":402}}`, Code: unavailable, Kind: openclaw.FailureAuth, Says: "credit"},
	{Name: "openai quota", Status: 429, Body: `{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`,
		Code: unavailable, Kind: openclaw.FailureAuth, Says: "credit"},
	{Name: "openai model", Status: 404, Body: `{"error":{"message":"The model ` + "`gpt-9`" + ` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}`,
		Code: notFound, Kind: openclaw.FailureBadRequest, Says: "does not serve the model \"test-model\""},
	{Name: "openrouter model", Status: 400, Body: `{"error":{"message":"foo/bar is not a valid model ID","code":400}}`, Code: notFound, Kind: openclaw.FailureBadRequest},
	{Name: "deepseek model", Status: 400, Body: `{"error":{"message":"Model Not Exist","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}`, Code: notFound, Kind: openclaw.FailureBadRequest},
	{Name: "wrong path", Status: 404, Header: map[string]string{"Content-Type": "text/html"}, Body: `<html><body>404</body></html>`, Code: notFound, Kind: openclaw.FailureBadRequest, Says: "/v1"},
	{Name: "openai context", Status: 400, Body: `{"error":{"message":"This model's maximum context length is 128000 tokens. However, your messages resulted in 130021 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`,
		Code: overflow, Kind: openclaw.FailureOverflow},
	{Name: "llama.cpp context", Status: 400, Body: `{"error":{"code":400,"message":"request (1407 tokens) exceeds the available context size (256 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":1407,"n_ctx":256}}`,
		Code: overflow, Kind: openclaw.FailureOverflow},
	{Name: "older llama.cpp context", Status: 500, Body: `{"error":{"code":500,"message":"the request exceeds the available context size. try increasing the context size or enable context shift","type":"server_error"}}`,
		Code: overflow, Kind: openclaw.FailureOverflow},
	{Name: "vllm context", Status: 400, Body: `{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens in the messages.","type":"BadRequestError","param":null,"code":400}`,
		Code: overflow, Kind: openclaw.FailureOverflow},
	{Name: "gemini context", Status: 400, Body: `[{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}]`,
		Code: overflow, Kind: openclaw.FailureOverflow},
	{Name: "groq too large", Status: 413, Body: `{"error":{"message":"Request too large for model on tokens per minute (TPM): Limit 6000, Requested 7000","type":"tokens","code":"rate_limit_exceeded"}}`,
		Code: overflow, Kind: openclaw.FailureOverflow},
	{Name: "openai too large", Status: 429, Body: `{"error":{"message":"Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 40000.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}`,
		Code: overflow, Kind: openclaw.FailureOverflow},
	{Name: "proxy too large", Status: 413, Body: `Payload Too Large`, Code: overflow, Kind: openclaw.FailureOverflow},
	{Name: "rate", Status: 429, Header: map[string]string{"Retry-After": "7"}, Body: `{"error":{"message":"This request would exceed your rate limit of 20,000 input tokens per minute","type":"requests","code":"rate_limit_exceeded"}}`,
		Code: unavailable, Kind: openclaw.FailureRateLimited, RetryAfter: 7 * time.Second},
	{Name: "rate until", Status: 429, Header: map[string]string{"Date": "Sat, 22 Nov 2025 12:00:00 GMT", "Retry-After": "Sat, 22 Nov 2025 12:01:30 GMT"},
		Code: unavailable, Kind: openclaw.FailureRateLimited, RetryAfter: 90 * time.Second},
	{Name: "internal", Status: 500, Body: `{"error":{"message":"The server had an error while processing your request.","type":"server_error","param":null,"code":null}}`,
		Code: unavailable, Kind: openclaw.FailureOverloaded, Says: "The server had an error"},
	{Name: "loading", Status: 503, Header: map[string]string{"Retry-After-Ms": "1500", "Retry-After": "2"}, Body: `{"error":{"message":"Loading model","type":"unavailable_error","code":503}}`,
		Code: unavailable, Kind: openclaw.FailureOverloaded, RetryAfter: 1500 * time.Millisecond, Says: "Loading model"},
	{Name: "openrouter behind", Status: 502, Body: `{"error":{"message":"Provider returned error","code":502,"metadata":{"raw":"upstream is down","provider_name":"Nebius"}}}`,
		Code: unavailable, Kind: openclaw.FailureOverloaded, Says: "upstream is down"},
	{Name: "overloaded", Status: 529, Body: `{"error":"overloaded_error"}`, Code: unavailable, Kind: openclaw.FailureOverloaded},
	{Name: "request timeout", Status: 408, Code: unavailable, Kind: openclaw.FailureTimeout},
	{Name: "gateway timeout", Status: 504, Body: "upstream request timeout", Code: unavailable, Kind: openclaw.FailureTimeout},
	{Name: "azure filter", Status: 400, Body: `{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400}}`,
		Code: modelError, Kind: openclaw.FailureFilter},
	{Name: "bad request", Status: 400, Body: `{"error":{"message":"Invalid schema for function 'shell':\n\tnope","type":"invalid_request_error","param":"tools[0]","code":"invalid_function_parameters"}}`,
		Code: modelError, Kind: openclaw.FailureBadRequest, Says: "(Invalid schema for function 'shell': nope)"},
	{Name: "fastapi detail", Status: 422, Body: `{"detail":[{"type":"missing","loc":["body","messages"],"msg":"Field required"}]}`, Code: modelError, Kind: openclaw.FailureBadRequest, Says: "Field required"},
	{Name: "echoed key", Status: 400, Body: `{"error":{"message":"header Bearer sk-secret-0123 is odd"}}`, Code: modelError, Kind: openclaw.FailureBadRequest, Says: "Bearer [key] is odd"},
	{Name: "redirect", Status: 302, Header: map[string]string{"Location": "http://127.0.0.1:1/elsewhere"}, Code: modelError, Kind: openclaw.FailureBadRequest, Says: "base_url"},
	{Name: "unsupported for good", Status: 400, Body: `{"error":{"message":"Unsupported parameter: 'tools'","code":"unsupported_parameter"}}`, Code: modelError, Kind: openclaw.FailureBadRequest},
	{Name: "success that is none", Status: 200, Body: `{"error":{"message":"No user or org id found","code":401}}`, Code: unavailable, Kind: openclaw.FailureAuth},
}
