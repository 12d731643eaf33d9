/** Tools that need something from the client before they can answer; in 2026-07-28 that takes several requests. */
import type { JsonObject } from "../../src/core/json.ts";
import type { Ask, CallIo } from "../../src/core/source.ts";
import type { PackTool } from "../../src/packs/pack.ts";

const form = (message: string, property: string, type: string): Ask => ({
  method: "elicitation/create",
  params: {
    message,
    requestedSchema: { type: "object", properties: { [property]: { type } }, required: [property] },
  },
});
const sample = (question: string, maxTokens: number): Ask => ({
  method: "sampling/createMessage",
  params: { messages: [{ role: "user", content: { type: "text", text: question } }], maxTokens },
});
const roots: Ask = { method: "roots/list", params: {} };

const askName = form("What is your name?", "name", "string");
const contentOf = (answer: JsonObject | undefined) => (answer?.["content"] ?? {}) as JsonObject;

const tool = (name: string, description: string, run: (io: CallIo) => Promise<string>): PackTool => ({
  name,
  description,
  run: (_args, { io }) => run(io),
});

export const inputTools: PackTool[] = [
  tool("test_input_required_result_elicitation", "Greets whom the user names.", async (io) => {
    const { user_name } = await io.ask({ user_name: askName });
    return `Hello, ${String(contentOf(user_name)["name"])}!`;
  }),
  tool("test_streaming_elicitation", "Reports progress, then asks the user.", async (io) => {
    io.progress(1, 2);
    const { user_name } = await io.ask({ user_name: askName });
    return `Hello, ${String(contentOf(user_name)["name"])}!`;
  }),
  tool("test_input_required_result_sampling", "Asks the client's model for a capital.", async (io) => {
    const { capital_question } = await io.ask({ capital_question: sample("What is the capital of France?", 100) });
    return String(contentOf(capital_question)["text"]);
  }),
  tool("test_missing_capability", "Needs sampling.", async (io) => {
    const { answer } = await io.ask({ answer: sample("Are you there?", 10) });
    return String(contentOf(answer)["text"]);
  }),
  tool("test_input_required_result_list_roots", "Names the client's roots.", async (io) => {
    const { client_roots } = await io.ask({ client_roots: roots });
    return JSON.stringify(client_roots?.["roots"]);
  }),
  tool("test_input_required_result_request_state", "Asks the user to confirm.", async (io) => {
    await io.ask({ confirm: form("Please confirm", "ok", "boolean") });
    return "state-ok";
  }),
  tool("test_input_required_result_tampered_state", "Asks the user to confirm.", async (io) => {
    await io.ask({ confirm: form("Please confirm", "ok", "boolean") });
    return "state-ok";
  }),
  tool("test_input_required_result_multiple_inputs", "Asks for three things at once.", async (io) => {
    const { user_name, greeting } = await io.ask({
      user_name: askName,
      greeting: sample("Generate a greeting", 50),
      client_roots: roots,
    });
    return `${String(contentOf(greeting)["text"])} ${String(contentOf(user_name)["name"])}`;
  }),
  tool("test_input_required_result_multi_round", "Asks for a name, then for a colour.", async (io) => {
    const { step1 } = await io.ask({ step1: form("Step 1: What is your name?", "name", "string") });
    const { step2 } = await io.ask({ step2: form("Step 2: What is your favorite color?", "color", "string") });
    return `${String(contentOf(step1)["name"])} likes ${String(contentOf(step2)["color"])}`;
  }),
  tool("test_input_required_result_capabilities", "Asks for what this client can give.", async (io) => {
    const asks: Record<string, Ask> = {};
    if (io.can.sampling) asks["capital_question"] = sample("What is the capital of France?", 100);
    if (io.can.elicitForm) asks["user_name"] = askName;
    const answers = await io.ask(asks);
    return Object.keys(answers).join(", ");
  }),
];
