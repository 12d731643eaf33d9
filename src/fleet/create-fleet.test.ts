import { expect, it } from "vitest";
import { Deadline } from "../core/deadline.ts";
import { Paused } from "../core/pause.ts";
import { RemoteError } from "../core/remote-error.ts";
import { SILENT } from "../core/source.ts";
import { connectStdio } from "../upstreams/stdio/connect-stdio.ts";
import { callTool, known, memoryLists, openFleet, rawServer, run, testClient, toolNamed } from "./fixtures/open-fleet.ts"; // prettier-ignore

const names = (fleet: ReturnType<typeof openFleet>) =>
  fleet.source.items("tool", testClient().caller).map(({ name }) => name);

it("lists what a server has, and passes its results on as they came", async () => {
  await using fleet = openFleet([rawServer("raw", { instructions: "Knows things.\nMore." })]);
  await known(fleet, "raw");
  expect(names(fleet)).toContain("raw__echo");
  expect(fleet.server("raw")).toMatchObject({ status: "ready", description: "Knows things. More.", counts: { prompts: 1, resources: 1, templates: 1 } }); // prettier-ignore
  expect(toolNamed(fleet, "raw__echo")).toMatchObject({ name: "raw__echo", extra: { vendor: { kept: true } } });
  expect(await callTool(fleet, "raw__echo", { value: "hi" })).toBe("hi");
  const [prompt] = fleet.source.items("prompt", testClient().caller);
  expect(await run(fleet, { kind: "prompt", id: prompt?.id ?? "", args: { who: "you" } })).toMatchObject({ messages: [{ content: { text: "hello you" } }] }); // prettier-ignore
  const [resource] = fleet.source.items("resource", testClient().caller);
  expect(await run(fleet, { kind: "resource", id: resource?.id ?? "", uri: "raw://one" })).toMatchObject({ contents: [{ uri: "raw://one" }] }); // prettier-ignore
  const completion = { kind: "completion", id: prompt?.id ?? "", argument: { name: "who", value: "a" }, context: {} } as const; // prettier-ignore
  expect(await run(fleet, completion)).toEqual({ completion: { values: ["a!"] } });
});

it("answers from what it remembers, without a connection", async () => {
  const lists = memoryLists();
  const definition = rawServer("raw");
  {
    await using fleet = openFleet([definition], { lists });
    await known(fleet, "raw");
    await expect.poll(() => lists.texts.size).toBe(1);
  }
  let connects = 0;
  await using fleet = openFleet([definition], {
    lists,
    connect: () => Promise.reject(new Error(`asked ${++connects}`)),
  });
  await fleet.settled();
  expect(names(fleet)).toContain("raw__echo");
  expect(fleet.server("raw")).toMatchObject({ status: "idle" });
  expect(connects).toBe(0);
});

it("is settled, and says why in its log, when what follows from what it remembers fails", async () => {
  const lists = memoryLists();
  {
    await using fleet = openFleet([rawServer("raw")], { lists });
    await known(fleet, "raw");
    await expect.poll(() => lists.texts.size).toBe(1);
  }
  const logged: object[] = [];
  await using fleet = openFleet([], { lists, log: { ...SILENT, error: (facts) => logged.push(facts) } });
  const error = new Error("a listener's own");
  const end = fleet.source.onChange(() => {
    throw error;
  });
  fleet.apply([rawServer("raw")]);
  await fleet.settled();
  expect(logged).toEqual([{ err: error }]);
  end();
  fleet.apply([rawServer("raw"), rawServer("other")]);
  await fleet.settled();
  expect(fleet.servers()).toHaveLength(2);
});

it("quarantines one bad tool alone, and follows pages to their end [servers-quarantine]", async () => {
  const extra = [{ description: "no name" }, { name: "echo", inputSchema: { type: "object" } }, { name: "bad", inputSchema: "x" }]; // prettier-ignore
  await using fleet = openFleet([rawServer("raw", { extra, many: 50, pageSize: 7 }), rawServer("circle", { circle: true })]); // prettier-ignore
  await known(fleet, "raw", "circle");
  expect(fleet.server("raw")?.quarantined).toEqual([
    { kind: "tool", name: "", reason: "it has no name" },
    { kind: "tool", name: "echo", reason: "another one before it has the same name" },
    { kind: "tool", name: "bad", reason: "its inputSchema is not an object" },
  ]);
  expect(names(fleet)).toContain("raw__many-49");
  expect(fleet.server("circle")?.counts.tools).toBe(1);
});

it("takes in ten thousand tools without holding others up, and remembers them", async () => {
  const lists = memoryLists();
  const definition = rawServer("raw", { many: 10_000 });
  await using fleet = openFleet([definition, rawServer("small")], { lists });
  await known(fleet, "small");
  expect(await callTool(fleet, "small__echo", { value: "fine" })).toBe("fine");
  await known(fleet, "raw");
  expect(names(fleet).filter((name) => name.startsWith("raw__many-"))).toHaveLength(10_000);
  await expect.poll(() => lists.texts.has(`raw ${definition.digest}`)).toBe(true);
  await using again = openFleet([definition], { lists });
  const before = performance.now();
  await again.settled();
  expect(performance.now() - before).toBeLessThan(500); // some 15 ms on a quiet machine
  expect(toolNamed(again, "raw__many-9999")).toMatchObject({ description: "number 9999" });
});

it("reads lists again when the server says so; what stayed the same keeps its identity", async () => {
  await using fleet = openFleet([rawServer("raw")], { limits: { debounceMs: 1 } });
  await known(fleet, "raw");
  const before = fleet.source.items("tool", testClient().caller);
  await callTool(fleet, "raw__grow");
  await expect.poll(() => names(fleet)).toContain("raw__grown");
  const after = fleet.source.items("tool", testClient().caller);
  expect(after).not.toBe(before);
  expect(after.filter((each) => before.includes(each))).toHaveLength(before.length);
});

it("answers with the server's own error, unchanged", async () => {
  await using fleet = openFleet([rawServer("raw", { extra: [{ name: "none", inputSchema: { type: "object" } }] })]);
  await known(fleet, "raw");
  const error = await callTool(fleet, "raw__none").catch((each: unknown) => each);
  expect(error).toBeInstanceOf(RemoteError);
  expect((error as RemoteError).rpc).toEqual({ code: -32602, message: "no tool none", data: { own: true } });
});

it("takes a definition's secrets out of results, errors and logs [servers-secrets]", async () => {
  const secret = "sesame-open-up";
  await using fleet = openFleet([rawServer("raw", {}, { secrets: [secret] }), rawServer("open", {}, { target: rawServer("raw", {}, { secrets: [secret] }).target })]); // prettier-ignore
  await known(fleet, "raw", "open");
  expect(await callTool(fleet, "open__secret")).toBe(`the key is ${secret}`); // without the guard it is told
  expect(await callTool(fleet, "raw__secret")).toBe("the key is ***");
  const client = testClient({ logLevel: "info" });
  await callTool(fleet, "open__log-secret", {}, client);
  await callTool(fleet, "raw__log-secret", {}, client);
  expect(client.logs).toEqual([{ key: secret }, { key: "***" }]);
});

it("shows a server whose name no file can have, and starts all others", async () => {
  await using fleet = openFleet([rawServer("\ud800x", {}, { problem: "its name is not one", target: undefined }), rawServer("raw")], { logFolder: "/nonexistent" }); // prettier-ignore
  await known(fleet, "raw");
  expect(fleet.servers().map(({ status }) => status)).toEqual(["ready", "invalid"]);
});

it("takes them out of what it says when a server cannot be started", async () => {
  const secret = "sesame-open-up";
  const target = {
    transport: "stdio",
    command: "/bin/sh",
    args: ["-c", `echo ${secret} >&2; sleep 0.1; exit 1`],
    env: {},
  } as const;
  await using fleet = openFleet([rawServer("leak", {}, { target, secrets: [secret] }), rawServer("open", {}, { target })]); // prettier-ignore
  await expect(known(fleet, "open")).rejects.toThrow(secret); // without the guard it is told
  await expect(known(fleet, "leak")).rejects.toThrow("***");
});

it("relays a question to the client of the call, and its answer back", async () => {
  await using fleet = openFleet([rawServer("raw")]);
  await known(fleet, "raw");
  const client = testClient({
    answers: ({ params }) => ({ action: "accept", content: { to: params?.["message"] ?? "" } }),
  });
  expect(JSON.parse(await callTool(fleet, "raw__ask", {}, client))).toEqual({
    action: "accept",
    content: { to: "who?" },
  });
  expect(JSON.parse(await callTool(fleet, "raw__ask-twice", {}, client))).toMatchObject([{ content: { to: "a?" } }, { content: { to: "b?" } }]); // prettier-ignore
});

it("lets a call wait for a client that comes back with its answers, once, and for nobody else [servers-parked]", async () => {
  await using fleet = openFleet([rawServer("raw")]);
  await known(fleet, "raw");
  const paused = await callTool(fleet, "raw__ask-twice").catch((each: unknown) => each);
  expect(paused).toBeInstanceOf(Paused);
  const { asks, state = "" } = paused as Paused;
  expect(Object.keys(asks)).toHaveLength(2);
  const [first = "", second = ""] = Object.keys(asks);
  const answers = { [first]: { action: "accept", content: { n: 1 } } };
  const other = testClient({ caller: { principal: { id: "eve", kind: "user", isAdmin: false } }, resumed: { state, answers } }); // prettier-ignore
  await expect(callTool(fleet, "raw__ask-twice", {}, other)).rejects.toMatchObject({ code: "INVALID_REQUEST" });
  // Half of the answers: the other half is asked again.
  const again = await callTool(fleet, "raw__ask-twice", {}, testClient({ resumed: { state, answers } })).catch((each: unknown) => each); // prettier-ignore
  expect(Object.keys((again as Paused).asks)).toEqual([second]);
  const rest = { state, answers: { [second]: { action: "decline" } } };
  expect(JSON.parse(await callTool(fleet, "raw__ask-twice", {}, testClient({ resumed: rest })))).toEqual([{ action: "accept", content: { n: 1 } }, { action: "decline" }]); // prettier-ignore
  await expect(callTool(fleet, "raw__ask-twice", {}, testClient({ resumed: rest }))).rejects.toMatchObject({ code: "INVALID_REQUEST" }); // prettier-ignore
});

it("cancels at the server what waited too long, and what is too much", async () => {
  await using fleet = openFleet([rawServer("raw", {}, { isInteractive: true })], { limits: { parkedPerPrincipal: 1 } }); // prettier-ignore
  await known(fleet, "raw");
  await expect(callTool(fleet, "raw__ask")).rejects.toBeInstanceOf(Paused);
  expect(await callTool(fleet, "raw__cancelled")).toBe("[]");
  await expect(callTool(fleet, "raw__ask")).rejects.toBeInstanceOf(Paused);
  await expect.poll(async () => JSON.parse(await callTool(fleet, "raw__cancelled")) as string[]).toHaveLength(1);
});

it("ends a call that waits when its time is over, and when its server dies", async () => {
  const interactive = { isInteractive: true };
  await using fleet = openFleet([rawServer("raw", {}, interactive)], { limits: { askTtlMs: 30 } });
  await using other = openFleet([rawServer("raw", {}, interactive)]);
  await known(fleet, "raw");
  await known(other, "raw");
  const late = (await callTool(fleet, "raw__ask").catch((each: unknown) => each)) as Paused;
  await expect.poll(async () => JSON.parse(await callTool(fleet, "raw__cancelled")) as string[]).toHaveLength(1);
  const resumed = { state: late.state ?? "", answers: { q1: { action: "accept" } } };
  await expect(callTool(fleet, "raw__ask", {}, testClient({ resumed }))).rejects.toMatchObject({ code: "INVALID_REQUEST" }); // prettier-ignore
  const waits = (await callTool(other, "raw__ask").catch((each: unknown) => each)) as Paused;
  const pid = Number(await callTool(other, "raw__pid"));
  process.kill(pid, "SIGKILL");
  await expect.poll(() => other.server("raw")?.pids).not.toContain(pid);
  const orphan = { state: waits.state ?? "", answers: { q1: { action: "accept" } } };
  await expect(callTool(other, "raw__ask", {}, testClient({ resumed: orphan }))).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" }); // prettier-ignore
});

it("keeps the time limit of the definition and says whose it is; the next call gets its own answer", async () => {
  await using fleet = openFleet([rawServer("raw", {}, { timeouts: { connect: 9_000, tools: 200, resources: 9_000, prompts: 9_000 } })]); // prettier-ignore
  await known(fleet, "raw");
  await expect(callTool(fleet, "raw__sleep", { ms: 60_000 })).rejects.toMatchObject({ code: "TIMEOUT", data: { server: "raw", limitMs: 200 } }); // prettier-ignore
  expect(await callTool(fleet, "raw__echo", { value: "own" })).toBe("own");
  const cancelled = new Deadline(10_000);
  const call = callTool(fleet, "raw__sleep", { ms: 150 }, undefined, cancelled);
  cancelled.end("client");
  await expect(call).rejects.toMatchObject({ code: "CANCELLED" });
  await expect.poll(async () => JSON.parse(await callTool(fleet, "raw__cancelled")) as string[]).toHaveLength(2);
});

it("lets no more requests at a server at once than its definition says", async () => {
  await using fleet = openFleet([rawServer("raw", {}, { maxConcurrency: 1 })]);
  await known(fleet, "raw");
  const order: string[] = [];
  await Promise.all([
    callTool(fleet, "raw__sleep", { ms: 100 }).then(() => order.push("first")),
    callTool(fleet, "raw__echo").then(() => order.push("second")),
  ]);
  expect(order).toEqual(["first", "second"]);
});

it("restarts only servers whose definition has changed, and ends the calls of one that is gone", async () => {
  await using fleet = openFleet([rawServer("a"), rawServer("b"), rawServer("c")]);
  await known(fleet, "a", "b", "c");
  const pid = await callTool(fleet, "a__pid");
  const sleeping = callTool(fleet, "b__sleep", { ms: 60_000 });
  sleeping.catch(() => {});
  await expect.poll(() => fleet.counts().connected).toBe(3);
  const change = fleet.apply([rawServer("a"), rawServer("c", {}, { prefix: "" }), rawServer("d")]);
  expect(change).toEqual({ added: ["d"], changed: ["c"], removed: ["b"] });
  await expect(sleeping).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
  await known(fleet, "a", "c", "d");
  expect(await callTool(fleet, "a__pid")).toBe(pid);
  expect(names(fleet)).toContain("echo");
  expect(names(fleet).some((name) => name.startsWith("b__"))).toBe(false);
});

it("shows anew and leaves running what differs only in how it is shown or limited, or where it was read", async () => {
  await using fleet = openFleet([rawServer("a"), rawServer("b")]);
  await known(fleet, "a", "b");
  const pid = await callTool(fleet, "a__pid");
  const sleeping = callTool(fleet, "a__sleep", { ms: 300 });
  const tools = { allow: ["e*", "pid"], deny: ["end"], rename: { echo: "say" } };
  const timeouts = { connect: 1_000, tools: 100, resources: 1_000, prompts: 1_000 };
  const shown = rawServer("a", {}, { prefix: "x", tools, description: "new words", timeouts, maxConcurrency: 1, idleStopMs: 60_000, where: "elsewhere" }); // prettier-ignore
  const change = fleet.apply([shown, rawServer("b", {}, { where: "line 2" })]);
  expect(change).toEqual({ added: [], changed: ["a"], removed: [] });
  await fleet.settled();
  expect(fleet.server("a")).toMatchObject({ description: "new words", where: "elsewhere", status: "ready" });
  expect(fleet.server("b")).toMatchObject({ where: "line 2" });
  expect(names(fleet).filter((name) => !name.startsWith("b__"))).toEqual(["x__pid", "x__say"]);
  expect(await callTool(fleet, "x__pid")).toBe(pid);
  expect(await sleeping).toBe("slept");
});

it("shows what a server had until it is known what its new definition gives, and takes it away when that fails", async () => {
  await using fleet = openFleet([rawServer("a"), rawServer("b")]);
  await known(fleet, "a", "b");
  const changes: number[] = [];
  fleet.source.onChange(() => changes.push(names(fleet).length));
  const before = names(fleet).length;
  fleet.apply([rawServer("a", { many: 1 }), rawServer("b", { die: "initialize" })]);
  expect(names(fleet)).toHaveLength(before);
  await known(fleet, "a");
  await expect.poll(() => names(fleet).filter((name) => name.startsWith("b__"))).toEqual([]);
  expect(names(fleet)).toContain("a__many-0");
  expect(Math.min(...changes)).toBeGreaterThanOrEqual(before / 2);
});

it("does not start a server again for a call that waited when it was taken away", async () => {
  let connects = 0;
  const connect: typeof connectStdio = (...args) => (connects++, connectStdio(...args));
  await using fleet = openFleet([rawServer("raw", {}, { maxConcurrency: 1 })], { connect });
  await known(fleet, "raw");
  const calls = [1, 2].map(() => callTool(fleet, "raw__sleep", { ms: 60_000 }));
  for (const call of calls) call.catch(() => {});
  await expect.poll(() => connects).toBe(2);
  fleet.apply([]);
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
  expect(connects).toBe(2);
});

it("restarts a server on request", async () => {
  await using fleet = openFleet([rawServer("raw", {}, { idleStopMs: 100 })]);
  await known(fleet, "raw");
  const pid = await callTool(fleet, "raw__pid");
  const deadline = new Deadline(10_000);
  expect(await fleet.restart("raw", deadline)).toMatchObject({ status: "ready" });
  deadline.close();
  expect(await callTool(fleet, "raw__pid")).not.toBe(pid);
  await expect.poll(() => fleet.server("raw")?.status).toBe("idle");
});

it("subscribes once for all who watch a resource, and again after the server died", async () => {
  await using fleet = openFleet([rawServer("raw")]);
  await known(fleet, "raw");
  const updated: string[] = [];
  fleet.source.onResourceUpdated?.((uri) => updated.push(uri));
  const [resource] = fleet.source.items("resource", testClient().caller);
  const { caller } = testClient();
  await callTool(fleet, "raw__pid");
  const ends = [1, 2].map(() => fleet.source.watch?.("raw://one", resource?.id ?? "", caller));
  const touch = () => callTool(fleet, "raw__touch", { uri: "raw://one" });
  await expect.poll(async () => (await touch(), updated.length)).toBeGreaterThan(0);
  await callTool(fleet, "raw__die").catch(() => {});
  updated.length = 0;
  await expect.poll(async () => (await touch(), updated.length)).toBeGreaterThan(0);
  for (const end of ends) end?.();
  await expect.poll(async () => ((updated.length = 0), await touch(), updated.length)).toBe(0);
});

it("reads what a result has pointed to, for who got it", async () => {
  await using fleet = openFleet([rawServer("raw")]);
  await known(fleet, "raw");
  const { caller } = testClient();
  expect(fleet.source.claims?.("made://1", caller)).toBeUndefined();
  await callTool(fleet, "raw__link");
  const id = fleet.source.claims?.("made://1", caller);
  expect(await run(fleet, { kind: "resource", id: id ?? "", uri: "made://1" })).toMatchObject({ contents: [{ text: "text of made://1" }] }); // prettier-ignore
  expect(fleet.source.claims?.("made://1", { principal: { id: "eve", kind: "user", isAdmin: false } })).toBeUndefined();
});

it("asks a server for as much of its log as the caller wants", async () => {
  await using fleet = openFleet([rawServer("raw")]);
  await known(fleet, "raw");
  expect(await callTool(fleet, "raw__level")).toBe("none");
  expect(await callTool(fleet, "raw__level", {}, testClient({ logLevel: "info" }))).toBe("info");
  expect(await callTool(fleet, "raw__level", {}, testClient({ logLevel: "debug" }))).toBe("debug");
  expect(await callTool(fleet, "raw__level", {}, testClient({ logLevel: "info" }))).toBe("debug");
});

it("passes on what came along with a call, and asks for progress only when somebody listens", async () => {
  await using fleet = openFleet([rawServer("raw")]);
  await known(fleet, "raw");
  const meta = { traceparent: "00-1-2-01", "com.example/x": { y: 1 } };
  expect(await callTool(fleet, "raw__meta", {}, testClient({ isDeaf: true }))).toBe("none");
  expect(JSON.parse(await callTool(fleet, "raw__meta", {}, testClient({ isDeaf: true, meta })))).toEqual(meta);
  expect(JSON.parse(await callTool(fleet, "raw__meta", {}, testClient({ meta })))).toEqual({ ...meta, progressToken: expect.any(Number) as number }); // prettier-ignore
});

it("stops a process that nobody uses, and starts it for the next call", async () => {
  await using fleet = openFleet([rawServer("raw", {}, { idleStopMs: 50 })]);
  await known(fleet, "raw");
  const pid = await callTool(fleet, "raw__pid");
  await expect.poll(() => fleet.server("raw")?.status).toBe("idle");
  expect(await callTool(fleet, "raw__pid")).not.toBe(pid);
});

it("stops a process that was started for its lists alone", async () => {
  await using fleet = openFleet([rawServer("raw")], { limits: { listIdleMs: 50 } });
  await known(fleet, "raw");
  await expect.poll(() => fleet.server("raw")?.status).toBe("idle");
});
