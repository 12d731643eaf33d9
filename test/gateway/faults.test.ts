import { createServer, type RequestListener } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { startProgram, withTemporaryFolder } from "../support/program.ts";
import { answerOf, openAsking, untilListed, type Session } from "./asking.ts";
import { openGateway, withGateway } from "./open-gateway.ts";
import { processesWith } from "./processes.ts";
import { plain } from "./plain.ts";

const QUICK = { timeout: { connect: "1s" } };
const PHASES = ["start", "initialize", "notifications/initialized", "tools/list", "tools/call"];
const nameOf = (phase: string) => `dies-in-${phase.replaceAll("/", "-")}`;

/** One gateway with all of them: what one does must not be felt by those beside it. */
describe("servers that misbehave, beside a good one", () => {
  let gateway: Awaited<ReturnType<typeof openGateway>>;
  let client: Session;
  const cut = openCutting();

  beforeAll(async () => {
    const dying = PHASES.map((phase): [string, object] => [nameOf(phase), { ...plain("--die", phase), ...QUICK }]);
    gateway = await openGateway({
      good: plain(),
      odd: plain("--odd", "--noise"),
      hangs: { ...plain("--hang", "initialize"), ...QUICK },
      slow: { ...plain(), timeout: { tools: "500ms" } },
      cut: { url: (await cut).url },
      ...Object.fromEntries<object>(dying),
    });
    client = await openAsking(gateway.url);
    await untilListed(client, "good__echo", "odd__echo", "slow__echo", "cut__hello", `${nameOf("tools/call")}__echo`);
  });
  afterAll(async () => {
    await gateway.close();
    await (await cut).close();
  });

  it("says of one that never answers initialize that it did not", async () => {
    const groups = await openAsking(`${gateway.url}?exposure=groups`);
    const answer = await groups.call("get_dynamic_tools", { group: "hangs" });
    expect(answer.isError).toBe(true);
    expect(answer.text).toContain("hangs");
    expect(answer.text).toContain("did not answer within 1000 ms");
  });

  it.each(PHASES)("is not harmed by one that dies: %s", async (phase) => {
    const name = nameOf(phase);
    const groups = await openAsking(`${gateway.url}?exposure=groups`);
    const answer = await groups.call("call_dynamic_tool", { group: name, name: "echo", args: { text: "x" } });
    expect(answer).toMatchObject({ isError: true, code: expect.stringMatching(/^UPSTREAM_/) });
    expect(answer.text).toContain(name);
    expect((await client.call("good__echo", { text: "here" })).text).toBe("here");
  });

  it("takes the answer with the right id, and no other", async () => {
    expect((await client.call("odd__wrong-ids")).text).toBe("right");
    expect((await client.call("odd__echo", { text: "after" })).text).toBe("after");
  });

  it("lists what can be used of a list with tools that cannot", async () => {
    const names = (await client.names()).filter((name) => name.startsWith("odd__"));
    expect(names.filter((name) => name === "odd__echo")).toHaveLength(1);
    expect(names).not.toContain("odd__bad-schema");
    expect(names.every((name) => /^[\w-]{1,64}$/.test(name))).toBe(true);
    const long = names.filter((name) => name.startsWith("odd__long_"));
    expect(new Set(long).size).toBe(2);
    const answers = await Promise.all(long.map(async (name) => (await client.call(name)).text));
    expect(answers.toSorted()).toEqual([`${"long_".padEnd(100, "x")} ran`, `${"long_".padEnd(101, "x")} ran`]);
    const spaced = names.find((name) => name.includes("spaces")) ?? "";
    expect((await client.call(spaced)).text).toBe("with spaces, dots. and/slashes ran");
  });

  it("takes a last message without a line end", async () => {
    expect((await client.call("odd__unfinished")).text).toBe("unfinished");
    expect((await client.call("odd__echo", { text: "after" })).text).toBe("after");
  });

  it("says whose server was killed in mid-call, and the next call on the same session works", async () => {
    const calls = Promise.all([client.call("good__sleep", { ms: 30_000 }), client.call("good__die")]);
    for (const answer of await calls) {
      expect(answer).toMatchObject({ isError: true, code: "UPSTREAM_UNAVAILABLE" });
      expect(answer.text).toContain("good");
    }
    expect((await client.call("good__echo", { text: "again" })).text).toBe("again");
  });

  it("survives a result of 100 MB and refuses one that is too large, each harming its own call alone", async () => {
    const [large, small] = await Promise.all([
      client.call("good__large", { bytes: 100_000_000 }),
      client.call("slow__echo", { text: "meanwhile" }),
    ]);
    expect(small.text).toBe("meanwhile");
    expect(large.text.length).toBeLessThan(60_000);
    const refused = await client.call("good__large", { bytes: 140_000_000 });
    expect(refused).toMatchObject({ isError: true, code: "TOO_LARGE" });
    expect(refused.text).toContain("good");
    expect((await client.call("good__echo", { text: "after" })).text).toBe("after");
  });

  it("gives up on a call that takes too long; the next one gets its own answer", async () => {
    const late = await client.call("slow__sleep", { ms: 550 });
    expect(late).toMatchObject({ isError: true, code: "TIMEOUT" });
    expect(late.text).toContain("slow");
    // The late answer comes while these wait for theirs.
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => client.call("slow__sleep", { ms: n * 5 }).then(({ text }) => text)),
    );
    expect(answers).toEqual(Array.from({ length: 20 }, (_, n) => `slept ${n * 5}`));
  });

  it.each(["cut", "end"])("says that the stream of an answer was closed in mid-call: %s", async (how) => {
    const answer = await client.call(`cut__${how}`);
    expect(answer).toMatchObject({ isError: true, code: expect.stringMatching(/^UPSTREAM_/) });
    expect(answer.text).toContain("cut");
    expect((await client.call("cut__hello")).text).toBe("hello");
  });

  it("tells a server that asks a client which cannot answer, and asks no other client", async () => {
    const other = await openAsking(gateway.url, { sampling: {}, elicitation: {}, roots: {} });
    const stream = other.stream();
    await expect.poll(stream.status).toBe(200);
    for (const method of ["sampling/createMessage", "elicitation/create", "roots/list", "nonsense"]) {
      expect((await client.call("good__ask", { method })).text).toContain("-32601");
    }
    expect(stream.events).toEqual([]);
    stream.close();
  });

  it.each([
    [1_000, "fine"],
    [6_000, "INVALID_ARGUMENTS"], // can be read and checked, and not be written
    [100_000, "INVALID_ARGUMENTS"],
  ])("takes arguments as deep as they can be sent: %i levels, %s", async (levels, wanted) => {
    const deep = `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
    const text = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"good__echo","arguments":{"text":"fine","deep":${deep}}}}`;
    const answer = answerOf((await client.post(text)).body);
    // Node 26 writes what it can read; before that, it says what it cannot do.
    expect([wanted, "fine"]).toContain(answer.isError ? answer.code : answer.text);
  });

  it("keeps two clients apart that number their requests alike", async () => {
    const other = await openAsking(gateway.url);
    const both = (n: number) =>
      Promise.all(
        [client, other].map(async ({ call }, at) => (await call("good__echo", { text: `${at} ${n}` }, n)).text),
      );
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => both(n)));
    expect(answers).toEqual(Array.from({ length: 20 }, (_, n) => [`0 ${n}`, `1 ${n}`]));
  });
});

it("answers at once though five servers hang [servers-start]", async () => {
  const hanging = Array.from({ length: 5 }, (_, n): [string, object] => [`hangs-${n}`, plain("--hang", n % 2 ? "initialize" : "tools/list")]); // prettier-ignore
  await withGateway({ ...Object.fromEntries<object>(hanging), good: plain() }, async ({ url }) => {
    const begin = performance.now();
    const client = await openAsking(url);
    await client.names();
    expect(performance.now() - begin).toBeLessThan(1_000);
    await untilListed(client, "good__echo");
    expect((await client.call("good__echo", { text: "here" })).text).toBe("here");
  });
});

/** What holds a pipe open longer than we live, or lives in a group of its own. */
const HARD_TO_END: [string, (mark: string) => object][] = [
  ["a plain one", (mark) => plain(mark)],
  ["one behind a shell that waits for it", (mark) => wrapped("; true", mark)],
  ["one that goes on without its input", (mark) => plain(mark, "--deaf")],
  ["one behind a shell that goes on without its input", (mark) => wrapped("; true", mark, "--deaf")],
  ["one that has started something in a group of its own", (mark) => plain(mark, "--child", mark)],
  ["one that has started it and goes on", (mark) => plain(mark, "--deaf", "--child", mark)],
];

describe.skipIf(process.platform !== "linux").each(["SIGKILL", "SIGTERM"] as const)("ended by %s", (signal) => {
  it("leaves no process", async () => {
    await withTemporaryFolder(async (folder) => {
      const mark = `ends-${process.pid}-${signal}`;
      const servers = Object.fromEntries(HARD_TO_END.map(([, make], n) => [`server-${n}`, make(mark)]));
      const config = path.join(folder, "servers.json");
      await writeFile(config, JSON.stringify({ mcpServers: servers }));
      const program = await startProgram(["--config", config, "--data-dir", folder, "--exposure", "direct"]);
      const client = await openAsking(program.url);
      await untilListed(client, ...HARD_TO_END.map((_, n) => `server-${n}__echo`));
      expect(processesWith(mark).length).toBeGreaterThanOrEqual(HARD_TO_END.length + 2);
      await program.stop(signal);
      await expect.poll(() => processesWith(mark), { timeout: 10_000 }).toEqual([]);
    });
  });
});

const wrapped = (after: string, ...args: string[]) => {
  const { command, args: words } = plain(...args);
  return { command: "sh", args: ["-c", `${[command, ...words].map((word) => `"${word}"`).join(" ")}${after}`] };
};

/** A server over HTTP that ends streams before their answer. */
async function openCutting() {
  const serve: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.method !== "POST") return void response.writeHead(405).end();
      const { id, method, params = {} } = JSON.parse(Buffer.concat(chunks).toString()) as Message;
      if (id === undefined) return void response.writeHead(202).end();
      const name = method === "tools/call" ? params["name"] : undefined;
      if (name === "cut" || name === "end") {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(
          'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}\n\n',
        );
        setTimeout(() => (name === "cut" ? response.destroy() : response.end()), 20);
        return;
      }
      const result = RESULTS[method];
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ jsonrpc: "2.0", id, ...(result ? { result } : { error: { code: -32601, message: "no such method" } }) })); // prettier-ignore
    });
  };
  const server = createServer(serve).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

interface Message {
  id?: string | number;
  method: string;
  params?: JsonObject;
}

const RESULTS: Record<string, JsonObject> = {
  initialize: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "cut", version: "1" } },
  "tools/list": { tools: ["hello", "cut", "end"].map((name) => ({ name, inputSchema: { type: "object" } })) },
  "tools/call": { content: [{ type: "text", text: "hello" }] },
};
