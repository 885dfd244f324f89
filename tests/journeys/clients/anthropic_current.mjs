// The Anthropic SDK for Node.js: a message, a stream, and a tool whose result goes back.
import Anthropic from "@anthropic-ai/sdk";
import { CHAT, GATEWAY, HEADERS, KEY, SCHEMA, STREAM, TOOLS, WEATHER, call, tell } from "./told.mjs";

const client = new Anthropic({
  apiKey: KEY,
  baseURL: `${GATEWAY}/v1/gateway/anthropic`,
  defaultHeaders: HEADERS,
  maxRetries: 0,
});
const asking = (content) => ({ model: "claude-sonnet-4-6", max_tokens: 200, messages: [{ role: "user", content }] });

function seen(message) {
  const said = message.content.filter((block) => block.type === "text").map((block) => block.text);
  const uses = message.content.filter((block) => block.type === "tool_use").map((block) => [block.name, block.input]);
  return call(said.join(""), [message.usage.input_tokens, message.usage.output_tokens], uses);
}

const chat = await client.messages.create(asking(CHAT));
const streamed = await client.messages.stream(asking(STREAM)).finalMessage();

const tools = [{ name: "get_weather", input_schema: SCHEMA }];
const asked = await client.messages.create({ ...asking(TOOLS), tools });
const use = asked.content.find((block) => block.type === "tool_use");
const messages = [
  ...asking(TOOLS).messages,
  { role: "assistant", content: asked.content },
  { role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: WEATHER }] },
];
const answered = await client.messages.create({ ...asking(TOOLS), messages, tools });

tell(seen(chat), seen(streamed), seen(asked), seen(answered));
