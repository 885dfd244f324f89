// The guide's debate agent: its code blocks in their order, unmodified but for the host's name. `await` at the top level
// needs a function around it in CommonJS; that wrapper is the only addition.
const { Configuration, OpenAIApi } = require("openai");
const { randomUUID } = require("crypto");

// Generate unique session identifiers
const sessionId = randomUUID();
const sessionName = "AI Debate";
const sessionPath = "/debate/climate-change";

// Initialize OpenAI client with Helicone baseURL and auth header
const configuration = new Configuration({
  apiKey: process.env.OPENAI_API_KEY,
  basePath: `${process.env.HOST}/v1/gateway/oai/v1`,
  baseOptions: {
    headers: {
      "Helicone-Auth": `Bearer ${process.env.HELICONE_API_KEY}`,
    },
  },
});
const openai = new OpenAIApi(configuration);

(async () => {
const topic = "The impact of climate change on global economies";

const conversation = [
  {
    role: "system",
    content:
      "You're an AI debate assistant. Engage with the user by presenting arguments for or against the topic. Keep responses concise and insightful.",
  },
  {
    role: "assistant",
    content: `Welcome to our debate! Today's topic is: "${topic}". I will argue in favor, and you will argue against. Please present your opening argument.`,
  },
];

const MAX_TURNS = 3;
let turn = 1;

while (turn <= MAX_TURNS) {
  // Get user's argument (simulate user input)
  const userArgument = await getUserArgument();
  conversation.push({ role: "user", content: userArgument });

  // Assistant responds with a counter-argument
  const assistantResponse = await generateAssistantResponse(
    conversation,
    sessionId,
    sessionName,
    sessionPath
  );
  conversation.push(assistantResponse);

  turn++;
}

// Function to simulate user input
async function getUserArgument() {
  // Simulate user input or fetch from an input source
  const userArguments = [
    "I believe climate change is a natural cycle and not significantly influenced by human activities.",
    "Economic resources should focus on immediate human needs rather than combating climate change.",
    "Strict environmental regulations can hinder economic growth and affect employment rates.",
  ];
  // Return the next argument
  return userArguments.shift();
}

// Function to generate assistant's response
async function generateAssistantResponse(
  conversation,
  sessionId,
  sessionName,
  sessionPath
) {
  const completionParams = {
    model: "gpt-4o-mini",
    messages: conversation,
  };

  const response = await openai.createChatCompletion(completionParams, {
    headers: {
      "Helicone-Session-Id": sessionId,
      "Helicone-Session-Name": sessionName,
      "Helicone-Session-Path": sessionPath,
      "Helicone-Prompt-Id": "assistant-response",
    },
  });

  const assistantMessage = response.data.choices[0].message;
  return assistantMessage;
}

console.log(JSON.stringify({ sessionId, conversation }));
})();
