// The AI SDK with its OpenAI provider: a text, a stream, and a run that uses a tool by itself; all over the Responses API.
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import { CHAT, GATEWAY, HEADERS, KEY, MODEL, SCHEMA, STREAM, TOOLS, WEATHER, call, tell } from "./told.mjs";

const openai = createOpenAI({ apiKey: KEY, baseURL: `${GATEWAY}/v1/gateway/oai/v1`, headers: HEADERS });
const seen = (step) =>
  call(
    step.text,
    [step.usage.inputTokens, step.usage.outputTokens],
    step.toolCalls.map((one) => [one.toolName, one.input]),
  );

const chat = await generateText({ model: openai(MODEL), prompt: CHAT, maxRetries: 0 });

const streaming = streamText({ model: openai(MODEL), prompt: STREAM, maxRetries: 0 });
let said = "";
for await (const piece of streaming.textStream) said += piece;
const [streamed] = await streaming.steps;

const used = await generateText({
  model: openai(MODEL),
  prompt: TOOLS,
  tools: { get_weather: tool({ inputSchema: jsonSchema(SCHEMA), execute: async () => WEATHER }) },
  stopWhen: stepCountIs(3),
  maxRetries: 0,
});

const older = await generateText({ model: openai.chat(MODEL), prompt: CHAT, maxRetries: 0 });

tell(seen(chat.steps[0]), seen({ ...streamed, text: said, usage: streamed.usage, toolCalls: [] }), ...used.steps.map(seen), seen(older.steps[0]));
