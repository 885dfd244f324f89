"""What recorded calls have in common, for a compressor to begin with: words of protocols and formats, nobody's own.

Never change VOCABULARY: what was compressed with it is not read without it. `tests/store/test_vocabulary` holds it. A better
one would be a second one beside it, and a new version of the tables.
"""

import msgspec

_WORDS = (
    "about above across after again against always another around because before being below between both cannot change "
    "could different does doing during each either enough error every example false file first following found from given "
    "have having help here however into itself just know like line list look made make many might more most must name need "
    "never number once only open order other over path please possible question read really result return right same "
    "second should since some something start still string such sure take than that their them then there these they thing "
    "think this those three through time today together under understand until update used user using value very want was "
    "were what when where whether which while will with without work would write your you are and the for not can has "
)
_TOOLS = (
    '[{"type":"function","function":{"name":"get_","description":"Returns the ","parameters":{"type":"object","properties":'
    '{"query":{"type":"string","description":"The "},"limit":{"type":"integer","description":"Maximum number of ","default":'
    '10},"path":{"type":"string"},"enabled":{"type":"boolean"},"items":{"type":"array","items":{"type":"string","enum":["'
    '"]}}},"required":["query"],"additionalProperties":false},"strict":true}},{"name":"search","description":"Search ",'
    '"input_schema":{"type":"object","properties":{}}}]'
)
_MESSAGES = (
    '{"role":"system","content":"You are a helpful assistant. "},{"role":"user","content":[{"type":"text","text":""},{"type":'
    '"image_url","image_url":{"url":"https://","detail":"auto"}}]},{"role":"user","content":[{"type":"tool_result",'
    '"tool_use_id":"toolu_01","content":[{"type":"text","text":"","cache_control":{"type":"ephemeral"}}],"is_error":false}]},'
    '{"role": "assistant", "content": null, "tool_calls": [{"id": "call_", "type": "function", "function": {"name": "", '
    '"arguments": "{\\"query\\": \\"\\", \\"path\\": \\"\\"}"}}]},{"role": "tool", "tool_call_id": "call_", "content": ""},'
    '{"role":"assistant","content":"","tool_calls":[{"id":"call_","type":"function","function":{"name":"","arguments":"{'
    '\\"q\\": \\"\\"}"}}],"refusal":null,"annotations":[]},{"role":"tool","content":"","tool_call_id":"call_"}'
)
_BODIES = (
    '{"candidates":[{"content":{"parts":[{"text":""},{"functionCall":{"name":"","args":{}}}],"role":"model"},"finishReason":'
    '"STOP","index":0,"safetyRatings":[]}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":'
    '1,"promptTokensDetails":[{"modality":"TEXT","tokenCount":1}]},"modelVersion":"gemini-","responseId":""}'
    '{"id":"resp_","object":"response","created_at":17,"status":"completed","error":null,"incomplete_details":null,'
    '"instructions":null,"max_output_tokens":null,"model":"gpt-","output":[{"type":"message","id":"msg_","status":"completed",'
    '"role":"assistant","content":[{"type":"output_text","text":"","annotations":[]}]},{"type":"function_call","id":"fc_",'
    '"call_id":"call_","name":"","arguments":"{}"},{"type":"reasoning","summary":[]}],"parallel_tool_calls":true,'
    '"previous_response_id":null,"temperature":1.0,"tool_choice":"auto","tools":[],"top_p":1.0,"usage":{"input_tokens":1,'
    '"input_tokens_details":{"cached_tokens":0},"output_tokens":1,"output_tokens_details":{"reasoning_tokens":0}}}'
    'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_01","type":"message","role":"assistant","model":'
    '"claude-","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"cache_creation_input_tokens":0,'
    '"cache_read_input_tokens":0,"output_tokens":1,"service_tier":"standard"}}}\n\nevent: content_block_start\ndata: {"type":'
    '"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\nevent: content_block_delta\ndata: {"type":'
    '"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}\n\nevent: content_block_delta\ndata: {"type":'
    '"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}\n\nevent: content_block_stop\n'
    'data: {"type":"content_block_stop","index":0}\n\nevent: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason'
    '":"end_turn","stop_sequence":null},"usage":{"output_tokens":1}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
    '{"id":"msg_01","type":"message","role":"assistant","model":"claude-","content":[{"type":"text","text":""},{"type":'
    '"tool_use","id":"toolu_01","name":"","input":{}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":1'
    'data: {"id":"chatcmpl-","object":"chat.completion.chunk","created":17,"model":"gpt-4o","service_tier":"default",'
    '"system_fingerprint":"fp_","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,'
    '"finish_reason":null}]}\n\ndata: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_","type":"function",'
    '"function":{"name":"","arguments":""}}]},"finish_reason":"stop"}],"usage":null}\n\ndata: [DONE]\n\n'
    '{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.0'
    '{"error":{"message":"Rate limit reached for ","type":"invalid_request_error","param":null,"code":null}}'
    '{"id":"chatcmpl-","object":"chat.completion","created":17,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":'
    '{"role":"assistant","content":"","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":'
    '{"prompt_tokens":1,"completion_tokens":1,"total_tokens":1,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},'
    '"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,'
    '"rejected_prediction_tokens":0}},"service_tier":"default","system_fingerprint":"fp_"}'
    '{"id":"chatcmpl-","object":"chat.completion","created":17,"model":"gpt-","choices":[{"index":0,"message":{"role":'
    '"assistant","content":"","tool_calls":[{"id":"call_","type":"function","function":{"name":"","arguments":"{\\"": \\""}"}}]'
    '},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}'
)
_URLS = (
    "https://generativelanguage.googleapis.com/v1beta/models/gemini-:streamGenerateContent?alt=sse",
    "https://api.openai.com/v1/responses",
    "https://openrouter.ai/api/v1/chat/completions",
    "https://api.anthropic.com/v1/messages",
    "http://127.0.0.1:8585/v1/messages",
    "http://127.0.0.1:8585/v1/gateway/oai/v1/chat/completions",
    "http://127.0.0.1:8585/v1/chat/completions",
    "https://api.openai.com/v1/chat/completions",
)
_ASKED = {
    "content-type": "application/json", "accept": "application/json", "user-agent": "OpenAI/Python 1.", "connection":
    "keep-alive", "accept-language": "*", "sec-fetch-mode": "cors", "anthropic-version": "2023-06-01", "anthropic-beta": "",
    "x-api-key": "", "authorization": "Bearer ", "x-stainless-async": "false", "x-stainless-arch": "x64",
    "x-stainless-os": "Linux", "x-stainless-package-version": "1.", "x-stainless-read-timeout": "600",
    "x-stainless-retry-count": "0", "x-stainless-runtime": "CPython", "x-stainless-runtime-version": "3.12.",
    "x-stainless-timeout": "600", "x-stainless-helper-method": "stream", "host": "127.0.0.1:8585",
    "accept-encoding": "gzip, deflate, br, zstd", "x-stainless-lang": "python", "content-length": "1",
}  # fmt: skip
_ANSWERED = {
    "date": "Mon, 01 Jan 2025 00:00:00 GMT", "content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked",
    "cache-control": "no-cache", "content-encoding": "gzip", "vary": "Accept-Encoding", "alt-svc": 'h3=":443"; ma=86400',
    "cf-ray": "-FRA", "cf-cache-status": "DYNAMIC", "set-cookie": "__cf_bm=; path=/; HttpOnly; Secure; SameSite=None",
    "access-control-expose-headers": "X-Request-ID", "x-content-type-options": "nosniff", "openai-organization": "",
    "openai-processing-ms": "1", "openai-project": "proj_", "x-envoy-upstream-service-time": "1",
    "x-ratelimit-limit-tokens": "30000000", "x-ratelimit-remaining-requests": "9999", "x-ratelimit-remaining-tokens": "2999",
    "x-ratelimit-reset-requests": "6ms", "x-ratelimit-reset-tokens": "0s", "request-id": "req_01",
    "anthropic-organization-id": "", "anthropic-ratelimit-requests-limit": "4000",
    "anthropic-ratelimit-requests-remaining": "3999", "anthropic-ratelimit-requests-reset": "2025-01-01T00:00:00Z",
    "anthropic-ratelimit-input-tokens-limit": "", "anthropic-ratelimit-output-tokens-remaining": "", "via": "1.1 google",
    "content-type ": "application/json", "server": "cloudflare", "openai-version": "2020-10-01",
    "x-ratelimit-limit-requests": "10000", "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
    "x-request-id": "req_",
}  # fmt: skip
_LABELS: dict[str, object] = {
    "session_id": "", "session_name": "", "session_path": "/", "prompt_id": None, "user_id": None, "model_override": None,
    "properties": {}, "replay": None,
}  # fmt: skip


def _headers(named: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.strip().encode(), value.encode()) for name, value in named.items()]


# The likeliest stands last, where it is nearest; headers and labels are written as a stored call has them.
VOCABULARY: bytes = (_WORDS + _TOOLS + _MESSAGES + _BODIES).encode() + b"".join(
    map(
        msgspec.msgpack.encode,
        (_headers(_ASKED), _headers(_ANSWERED), *_URLS[:-2], "GET", "POST", *_URLS[-2:], "openai", _LABELS, "answered"),
    )
)
