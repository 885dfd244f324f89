// What every client program starts from and ends with: where the gateway is, what to ask, and telling what came of it.
export const GATEWAY = process.env.GATEWAY;
export const HEADERS = { "Helicone-Session-Id": process.env.SESSION_ID, "Helicone-Session-Name": "client" };
export const KEY = "sk-client";
export const MODEL = "gpt-4o-mini";
export const CHAT = "Say in one sentence what the sea is.";
export const STREAM = "Say in two sentences what a river is.";
export const TOOLS = "Call get_weather for Paris.";
export const SCHEMA = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
export const WEATHER = "It is 21 degrees and sunny.";

/** One HTTP call as its client saw it: what was said, tokens in and out, tools asked for with arguments. */
export const call = (text, usage, tools = []) => ({ text, usage, tools });

/** Print the calls in the order they were made. */
export const tell = (...calls) => console.log(JSON.stringify(calls));

/** An OpenAI chat completion as a call. */
export function completion(answer) {
  const message = answer.choices[0].message;
  const tools = (message.tool_calls ?? []).map((one) => [one.function.name, JSON.parse(one.function.arguments)]);
  return call(message.content ?? "", [answer.usage.prompt_tokens, answer.usage.completion_tokens], tools);
}
