/**
 * Plays the main job in the terminal, in well under a minute: a real MCP client makes a tool from code, sees it, calls
 * it, changes it, rolls it back, finds it again after a restart, deletes it. Uses a data folder of its own.
 */
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const isColored = process.stdout.isTTY;
const paint = (code: number) => (text: string) => (isColored ? `\u001b[${code}m${text}\u001b[0m` : text);
const [bold, dim, green, cyan] = [paint(1), paint(2), paint(32), paint(36)];

let steps = 0;
const say = (text: string) => console.log(`\n${bold(`${++steps}. ${text}`)}`);
const show = (label: string, text: string) => console.log(`   ${dim(label.padEnd(8))} ${text}`);

interface Answer {
  isError?: boolean;
  structuredContent?: unknown;
  content: { type: string; text?: string }[];
}

async function connect(dataDir: string) {
  let changes = 0;
  const client = new Client(
    { name: "demo", version: "1.0.0" },
    { listChanged: { tools: { autoRefresh: false, onChanged: () => void changes++ } } },
  );
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [program, "--data-dir", dataDir], stderr: "inherit" }),
  );

  async function call(name: string, args: Record<string, unknown>, note = ""): Promise<Answer> {
    show("call", `${cyan(name)} ${dim(clip(JSON.stringify(args), 150))}`);
    const answer = (await client.callTool({ name, arguments: args })) as Answer;
    const words = answer.content.map(({ text }) => text ?? "").join(" ");
    show(answer.isError ? "refused" : "answer", answer.isError ? words : green(clip(words, 220)));
    if (note) show("", dim(note));
    return answer;
  }

  async function toolNames(): Promise<string[]> {
    const { tools } = await client.listTools();
    show("listed", tools.map(({ name }) => name).join(", "));
    return tools.map(({ name }) => name);
  }

  /** Notices come a moment after the answer. */
  async function changed(): Promise<number> {
    for (let waited = 0; changes === 0 && waited < 2_000; waited += 20) await sleep(20);
    return changes;
  }

  return { call, toolNames, changed, close: () => client.close() };
}

function clip(text: string, chars: number): string {
  const line = text.replace(/\s+/g, " ");
  return line.length <= chars ? line : `${line.slice(0, chars)}...`;
}

const startedAt = performance.now();
const dataDir = await mkdtemp(join(tmpdir(), "dynamic-mcp-demo-"));
try {
  let session = await connect(dataDir);

  say("A client connects over stdio and sees the built-in tools");
  await session.toolNames();

  say("It makes a tool from JavaScript, while the server runs");
  await session.call("dynamic_tool_create", {
    tool: {
      name: "text.count",
      description: "Counts words.",
      code: "return { words: args.text.trim().split(/\\s+/).length }",
    },
  });
  show("notice", `${await session.changed()} x notifications/tools/list_changed`);
  await session.toolNames();

  say("It calls the new tool with its own arguments");
  await session.call("text_count", { text: "one endpoint, many tools" });

  say("It changes it: TypeScript now, with a schema and an example that must pass first");
  await session.call("dynamic_tool_update", {
    name: "text.count",
    patch: {
      language: "ts",
      code: 'const { text, unit } = args as { text: string; unit?: "words" | "letters" };\nconst parts: string[] = unit === "letters" ? text.match(/\\p{L}/gu) ?? [] : text.trim().split(/\\s+/);\nreturn { [unit ?? "words"]: parts.length };',
      inputSchema: {
        type: "object",
        properties: { text: { type: "string" }, unit: { enum: ["words", "letters"] } },
        required: ["text"],
        additionalProperties: false,
      },
      examples: [{ args: { text: "a bc", unit: "letters" }, result: { letters: 3 } }],
    },
  });
  await session.call("text_count", { text: "naïve café", unit: "letters" });

  say("Bad arguments and bad code get an answer that a model can act on");
  await session.call("text_count", { txt: "oops" });
  await session.call("dynamic_tool_update", { name: "text.count", patch: { code: "const x: = 1;\nreturn x;" } });

  say("Code that never ends is stopped; the next call is fine");
  await session.call("run_js_ephemeral", { code: "while (true) {}", timeoutMs: 1000 });
  await session.call("run_js_ephemeral", { code: "return 6 * 7" });

  say("Every write is a revision: look back, roll back");
  await session.call("dynamic_tool_history", { name: "text.count" });
  await session.call("dynamic_tool_rollback", { name: "text.count", revision: 1 });

  say("The server stops; a new one starts: the tool is still there");
  await session.close();
  session = await connect(dataDir);
  await session.call("text_count", { text: "it was there before" });

  say("It deletes the tool");
  await session.call("dynamic_tool_delete", { name: "text.count" });
  await session.toolNames();
  await session.close();

  console.log(`\n${green("Done")} in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s.`);
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
