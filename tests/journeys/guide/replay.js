// The guide's replay script, unmodified. The last two lines are ours: they read what query.sh printed and unwrap `data`.
const fetch = require("node-fetch");
const { randomUUID } = require("crypto");

const HELICONE_API_KEY = process.env.HELICONE_API_KEY;
const OPENAI_API_KEY = process.env.OPENAI_API_KEY;
const REPLAY_SESSION_ID = randomUUID();

async function replaySession(requests) {
  for (const request of requests) {
    const modifiedRequest = modifyRequestBody(request);

    await sendRequest(modifiedRequest);
  }
}

function modifyRequestBody(request) {
  // Implement modifications to the request body as needed
  // For example, enhancing the system prompt for better responses
  if (request.prompt_id === "assistant-response") {
    const systemMessage = request.body.messages.find(
      (msg) => msg.role === "system"
    );
    if (systemMessage) {
      systemMessage.content +=
        " Take the persona of a field expert and provide more persuasive arguments.";
    }
  }
  return request;
}

async function sendRequest(modifiedRequest) {
  const { body, request_path, path, prompt_id } = modifiedRequest;

  const response = await fetch(request_path, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Authorization: `Bearer ${OPENAI_API_KEY}`,
      "Helicone-Auth": `Bearer ${HELICONE_API_KEY}`,
      "Helicone-Session-Id": REPLAY_SESSION_ID,
      "Helicone-Session-Name": "Replayed Session",
      "Helicone-Session-Path": path,
      "Helicone-Prompt-Id": prompt_id,
    },
    body: JSON.stringify(body),
  });

  const data = await response.json();
  // Handle the response as needed
}

const requests = JSON.parse(require("fs").readFileSync(0, "utf8")).data;
replaySession(requests).then(() => console.log(JSON.stringify({ sessionId: REPLAY_SESSION_ID })));
