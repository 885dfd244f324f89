// The openai package for Node.js as it is now: chat, a stream, a tool whose result goes back, and a response.
import OpenAI from "openai";
import { CHAT, GATEWAY, HEADERS, KEY, MODEL, SCHEMA, STREAM, TOOLS, WEATHER, call, completion, tell } from "./told.mjs";

const client = new OpenAI({
  apiKey: KEY,
  baseURL: `${GATEWAY}/v1/gateway/oai/v1`,
  defaultHeaders: HEADERS,
  maxRetries: 0,
});

const chat = await client.chat.completions.create({ model: MODEL, messages: [{ role: "user", content: CHAT }] });

let said = "";
let usage = null;
const stream = await client.chat.completions.create({
  model: MODEL,
  messages: [{ role: "user", content: STREAM }],
  stream: true,
  stream_options: { include_usage: true },
});
for await (const chunk of stream) {
  for (const choice of chunk.choices) said += choice.delta.content ?? "";
  if (chunk.usage) usage = [chunk.usage.prompt_tokens, chunk.usage.completion_tokens];
}

const tools = [{ type: "function", function: { name: "get_weather", parameters: SCHEMA } }];
const messages = [{ role: "user", content: TOOLS }];
const asked = await client.chat.completions.create({ model: MODEL, messages, tools });
const wanted = asked.choices[0].message;
messages.push(wanted, { role: "tool", tool_call_id: wanted.tool_calls[0].id, content: WEATHER });
const answered = await client.chat.completions.create({ model: MODEL, messages, tools });

const response = await client.responses.create({ model: MODEL, input: CHAT });
const responded = call(response.output_text, [response.usage.input_tokens, response.usage.output_tokens]);

tell(completion(chat), call(said, usage), completion(asked), completion(answered), responded);
