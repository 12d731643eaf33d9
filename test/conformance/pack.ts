/**
 * What `@modelcontextprotocol/conformance` looks up by name: tools, prompts and resources of every kind that the
 * protocol knows. Also the first pack, and so an example of all that a pack can do.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Content } from "../../src/core/item.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Ask } from "../../src/core/source.ts";
import { definePack, type PackHost } from "../../src/packs/pack.ts";
import { inputTools } from "./input-tools.ts";

/** One red pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/** A WAV file without samples. */
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";

const text = (value: string): Content => ({ type: "text", text: value });
const image: Content = { type: "image", data: PNG, mimeType: "image/png" };
const said = (...content: Content[]) => ({ content });
const object = (properties: JsonObject, required: string[] = Object.keys(properties)): JsonObject => ({
  type: "object",
  properties,
  required,
});
const string = { type: "string" };

const form = (message: string, requestedSchema: JsonObject): Ask => ({
  method: "elicitation/create",
  params: { message, requestedSchema },
});

let host: PackHost | undefined;

export default definePack({
  name: "conformance",
  open(given) {
    host = given;
  },
  close() {
    host = undefined;
  },

  tools: [
    {
      name: "test_simple_text",
      description: "Gives a text.",
      run: () => "This is a simple text response for testing.",
    },
    { name: "test_image_content", description: "Gives an image.", run: () => said(image) },
    {
      name: "test_audio_content",
      description: "Gives a sound.",
      run: () => said({ type: "audio", data: WAV, mimeType: "audio/wav" }),
    },
    {
      name: "test_embedded_resource",
      description: "Gives a resource.",
      run: () =>
        said({
          type: "resource",
          resource: {
            uri: "test://embedded-resource",
            mimeType: "text/plain",
            text: "This is an embedded resource content.",
          },
        }),
    },
    {
      name: "test_multiple_content_types",
      description: "Gives a text, an image and a resource.",
      run: () =>
        said(text("Multiple content types test:"), image, {
          type: "resource",
          resource: {
            uri: "test://mixed-content-resource",
            mimeType: "application/json",
            text: JSON.stringify({ test: "data", value: 123 }),
          },
        }),
    },
    {
      name: "test_tool_with_logging",
      description: "Sends three log lines while it runs.",
      async run(_args, { io }) {
        io.log("info", "Tool execution started");
        await sleep(50);
        io.log("info", "Tool processing data");
        await sleep(50);
        io.log("info", "Tool execution completed");
        return "Tool with logging executed successfully";
      },
    },
    {
      name: "test_logging_tool",
      description: "Sends one log line.",
      run(_args, { io }) {
        io.log("info", "one line");
        return "logged";
      },
    },
    {
      name: "test_tool_with_progress",
      description: "Reports its progress.",
      async run(_args, { io }) {
        for (const progress of [0, 50, 100]) {
          io.progress(progress, 100);
          if (progress < 100) await sleep(50);
        }
        return "done";
      },
    },
    {
      name: "test_error_handling",
      description: "Always fails.",
      run() {
        throw new Error("This tool intentionally returns an error for testing");
      },
    },
    {
      name: "test_sampling",
      description: "Asks the client's model.",
      inputSchema: object({ prompt: string }),
      async run({ prompt }, { io }) {
        const messages = [{ role: "user", content: { type: "text", text: String(prompt) } }];
        const { answer } = await io.ask({
          answer: { method: "sampling/createMessage", params: { messages, maxTokens: 100 } },
        });
        const content = answer?.["content"] as { text?: string } | undefined;
        return `LLM response: ${content?.text ?? ""}`;
      },
    },
    {
      name: "test_elicitation",
      description: "Asks the user.",
      inputSchema: object({ message: string }),
      async run({ message }, { io }) {
        const username = { type: "string", description: "User's response" };
        const email = { type: "string", description: "User's email address" };
        const { answer } = await io.ask({ answer: form(String(message), object({ username, email })) });
        return `User response: ${JSON.stringify(answer)}`;
      },
    },
    {
      name: "test_elicitation_sep1034_defaults",
      description: "Asks the user, with a default for everything.",
      async run(_args, { io }) {
        const schema = object(
          {
            name: { type: "string", default: "John Doe" },
            age: { type: "integer", default: 30 },
            score: { type: "number", default: 95.5 },
            status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
            verified: { type: "boolean", default: true },
          },
          [],
        );
        const { answer } = await io.ask({ answer: form("Please review the defaults", schema) });
        return `Elicitation completed: action=${String(answer?.["action"])}, content=${JSON.stringify(answer?.["content"])}`;
      },
    },
    {
      name: "test_elicitation_sep1330_enums",
      description: "Asks the user to choose, in all five ways.",
      async run(_args, { io }) {
        const options = ["option1", "option2", "option3"];
        const titled = (first: string) =>
          [1, 2, 3].map((n) => ({ const: `value${n}`, title: `${["First", "Second", "Third"][n - 1]} ${first}` }));
        const schema = object(
          {
            untitledSingle: { type: "string", enum: options },
            titledSingle: { type: "string", oneOf: titled("Option") },
            legacyEnum: {
              type: "string",
              enum: ["opt1", "opt2", "opt3"],
              enumNames: ["Option One", "Option Two", "Option Three"],
            },
            untitledMulti: { type: "array", items: { type: "string", enum: options } },
            titledMulti: { type: "array", items: { anyOf: titled("Choice") } },
          },
          [],
        );
        const { answer } = await io.ask({ answer: form("Please choose", schema) });
        return `Elicitation completed: action=${String(answer?.["action"])}, content=${JSON.stringify(answer?.["content"])}`;
      },
    },
    {
      name: "json_schema_2020_12_tool",
      description: "Has an input schema with all that JSON Schema 2020-12 can say.",
      inputSchema: {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        $defs: {
          address: { $anchor: "addressDef", type: "object", properties: { street: string, city: string } },
        },
        properties: {
          name: string,
          address: { $ref: "#/$defs/address" },
          contactMethod: { type: "string", enum: ["phone", "email"] },
          phone: string,
          email: string,
        },
        allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
        if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
        // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
        then: { required: ["phone"] },
        else: { required: ["email"] },
        additionalProperties: false,
      },
      run: (args) => JSON.stringify(args),
    },
    {
      name: "test_x_mcp_header",
      description: "Has arguments that HTTP clients repeat as headers.",
      inputSchema: object({ region: { type: "string", "x-mcp-header": "Region" } }),
      run: ({ region }) => `region: ${String(region)}`,
    },
    {
      name: "test_trigger_tool_change",
      description: "Lists one more tool, or one less.",
      run: () => toggled("tool"),
    },
    {
      name: "test_trigger_prompt_change",
      description: "Lists one more prompt, or one less.",
      run: () => toggled("prompt"),
    },
    {
      name: "test_update_resource",
      description: "Tells those who subscribed to it that test://watched-resource has changed.",
      run() {
        host?.resourceUpdated("test://watched-resource");
        return "updated";
      },
    },
    ...inputTools,
  ],

  prompts: [
    {
      name: "test_simple_prompt",
      description: "A prompt without arguments.",
      run: () => "This is a simple prompt for testing.",
    },
    {
      name: "test_prompt_with_arguments",
      description: "A prompt with two arguments.",
      arguments: [
        { name: "arg1", description: "First test argument", required: true },
        { name: "arg2", description: "Second test argument", required: true },
      ],
      run: ({ arg1, arg2 }) => `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`,
      complete: ({ value }) => ["paris", "park", "party", "test"].filter((each) => each.startsWith(value)),
    },
    {
      name: "test_prompt_with_embedded_resource",
      description: "A prompt with a resource in it.",
      arguments: [{ name: "resourceUri", description: "URI of the resource to embed", required: true }],
      run: ({ resourceUri = "" }) => ({
        messages: [
          {
            role: "user",
            content: {
              type: "resource",
              resource: { uri: resourceUri, mimeType: "text/plain", text: "Embedded resource content for testing." },
            },
          },
          { role: "user", content: text("Please process the embedded resource above.") },
        ],
      }),
    },
    {
      name: "test_prompt_with_image",
      description: "A prompt with an image in it.",
      run: () => ({
        messages: [
          { role: "user", content: image },
          { role: "user", content: text("Please analyze the image above.") },
        ],
      }),
    },
    {
      name: "test_input_required_result_prompt",
      description: "A prompt that asks the user first.",
      async run(_args, { io }) {
        const { user_context } = await io.ask({
          user_context: form("What context should the prompt use?", object({ context: string })),
        });
        const content = user_context?.["content"] as { context?: string } | undefined;
        return `Use this context: ${content?.context ?? "none"}`;
      },
    },
  ],

  resources: [
    {
      uri: "test://static-text",
      name: "Static text",
      description: "A text that never changes.",
      mimeType: "text/plain",
      read: () => "This is the content of the static text resource.",
    },
    {
      uri: "test://static-binary",
      name: "Static image",
      description: "An image that never changes.",
      mimeType: "image/png",
      read: () => Buffer.from(PNG, "base64"),
    },
    {
      uri: "test://watched-resource",
      name: "Watched text",
      description: "A text that says when it changes.",
      mimeType: "text/plain",
      read: () => "Watched.",
    },
  ],

  templates: [
    {
      uriTemplate: "test://template/{id}/data",
      name: "Data by id",
      description: "Data of one id.",
      mimeType: "application/json",
      read: (_uri, { id }) => JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
      complete: ({ value }) => ["1", "12", "123"].filter((each) => each.startsWith(value)),
    },
  ],
});

const extra: Partial<Record<"tool" | "prompt", () => void>> = {};

function toggled(kind: "tool" | "prompt"): string {
  const remove = extra[kind];
  if (remove) {
    delete extra[kind];
    remove();
    return `one ${kind} less`;
  }
  const name = `test_extra_${kind}`;
  const add =
    kind === "tool"
      ? host?.addTool({ name, description: "Comes and goes.", run: () => "here" })
      : host?.addPrompt({ name, description: "Comes and goes.", run: () => "here" });
  if (add) extra[kind] = add;
  return `one ${kind} more`;
}
