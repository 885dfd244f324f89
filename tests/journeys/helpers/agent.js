// What @helicone/helpers shows in its README and types: a call, a stream, a builder, a tool; only the host is ours.
import { HeliconeManualLogger } from "@helicone/helpers";

const { HOST, KEY, SESSION } = process.env;
const headers = { "Helicone-Session-Id": SESSION, "Helicone-Session-Name": "Helpers", "Helicone-Session-Path": "/js" };
const logger = new HeliconeManualLogger({ apiKey: KEY, headers, loggingEndpoint: `${HOST}/custom/v1/log` });
const request = { model: "gpt-4o", messages: [{ role: "user", content: "Where to?" }] };
const answer = {
  id: "r1", model: "gpt-4o",
  choices: [{ index: 0, message: { role: "assistant", content: "Lisbon." }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
};
const chunks = ["Lis", "bon."].map((content) => ({
  object: "chat.completion.chunk", model: "gpt-4o", choices: [{ index: 0, delta: { content } }],
}));

async function* stream() {
  yield* chunks;
}

await logger.logRequest(request, async (recorder) => {
  recorder.appendResults(answer);
  return answer;
}, { "Helicone-Property-Step": "request" }, "OPENAI");

const raw = new TextEncoder().encode(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join(""));
await logger.logSingleStream({ ...request, stream: true }, new Response(raw).body, { "Helicone-Property-Step": "stream" });

await logger.logSingleRequest(request, JSON.stringify(answer), {
  additionalHeaders: { "Helicone-Property-Step": "single" }, latencyMs: 1000,
});

const builder = logger.logBuilder({ ...request, stream: true }, { "Helicone-Property-Step": "builder" });
await builder.attachStream(stream());
await builder.sendLog();

const failing = logger.logBuilder(request, { "Helicone-Property-Step": "error" });
failing.setError(new Error("gone"));
await failing.sendLog();

await logger.logRequest({ _type: "tool", toolName: "weather", input: { city: "Lisbon" } }, async (recorder) => {
  recorder.appendResults({ status: "success", message: "Warm." });
}, { "Helicone-Property-Step": "tool" });

await logger.logRequest({ _type: "vector_db", operation: "search", text: "spring" }, async (recorder) => {
  recorder.appendResults({ status: "success", message: "Found." });
}, { "Helicone-Property-Step": "vector" });

await logger.logRequest({ _type: "data", name: "orders" }, async (recorder) => {
  recorder.appendResults({ status: "success", message: "Read." });
}, { "Helicone-Property-Step": "data" });

await logger.logStream({ ...request, stream: true }, async (recorder) => {
  recorder.attachStream(new Response(raw).body);
}, { "Helicone-Property-Step": "recorded" });

const set = logger.logBuilder(request);
set.addAdditionalHeaders({ "Helicone-Property-Step": "set" });
set.setResponse(JSON.stringify(answer));
await set.sendLog();

const passed = logger.logBuilder({ ...request, stream: true }, { "Helicone-Property-Step": "passed" });
await new Response(passed.toReadableStream(stream())).text();
await passed.sendLog();

const left = logger.logBuilder({ ...request, stream: true }, { "Helicone-Property-Step": "left" });
const reader = left.toReadableStream(stream()).getReader();
await reader.read();
await reader.cancel();
await left.sendLog();

await logger.sendLog(request, answer, {
  startTime: 1_700_000_000_000, endTime: 1_700_000_002_500, timeToFirstToken: 700, status: 429, provider: "OPENAI",
  additionalHeaders: { "Helicone-Property-Step": "sent" },
});
