// The openai package 3.x for Node.js, which the guide is written with: chat, a raw stream, and a function.
import { Configuration, OpenAIApi } from "openai-3";
import { CHAT, GATEWAY, HEADERS, KEY, MODEL, SCHEMA, STREAM, TOOLS, WEATHER, call, completion, tell } from "./told.mjs";

const api = new OpenAIApi(
  new Configuration({ apiKey: KEY, basePath: `${GATEWAY}/v1/gateway/oai/v1`, baseOptions: { headers: HEADERS } }),
);

const chat = await api.createChatCompletion({ model: MODEL, messages: [{ role: "user", content: CHAT }] });

// Version 3 hands on the raw response: whoever used it cut the events themselves.
const streaming = await api.createChatCompletion(
  {
    model: MODEL,
    messages: [{ role: "user", content: STREAM }],
    stream: true,
    stream_options: { include_usage: true },
  },
  { responseType: "stream" },
);
let text = "";
for await (const piece of streaming.data) text += piece;
let said = "";
let usage = null;
for (const line of text.split("\n").filter((one) => one.startsWith("data: {"))) {
  const event = JSON.parse(line.slice(6));
  for (const choice of event.choices) said += choice.delta.content ?? "";
  if (event.usage) usage = [event.usage.prompt_tokens, event.usage.completion_tokens];
}

const tools = [{ type: "function", function: { name: "get_weather", parameters: SCHEMA } }];
const messages = [{ role: "user", content: TOOLS }];
const asked = await api.createChatCompletion({ model: MODEL, messages, tools });
const wanted = asked.data.choices[0].message;
messages.push(wanted, { role: "tool", tool_call_id: wanted.tool_calls[0].id, content: WEATHER });
const answered = await api.createChatCompletion({ model: MODEL, messages, tools });

tell(completion(chat.data), call(said, usage), completion(asked.data), completion(answered.data));
