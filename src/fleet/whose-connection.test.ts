import { describe, expect, it } from "vitest";
import { Paused } from "../core/pause.ts";
import { callTool, CAN_NOTHING, known, memoryLists, openFleet, rawServer, testClient, type TestClient } from "./fixtures/open-fleet.ts"; // prettier-ignore

const rootsOf = (name: string) => ({ roots: [{ uri: `file:///${name}` }] });

/** A client of the older era with roots of its own. */
function client(channel: string, more: Partial<TestClient> = {}): TestClient {
  const answers: TestClient["answers"] = ({ method }) =>
    method === "roots/list" ? rootsOf(channel) : { action: "accept", content: { by: channel } };
  return testClient({ caller: { ...testClient().caller, channel }, answers, ...more });
}

/** A client of 2026-07-28: it is asked by ending its call, and comes back until it has a result. */
async function callModern(fleet: ReturnType<typeof openFleet>, name: string, who: string): Promise<string> {
  const caller = { principal: testClient().caller.principal, client: { name: "one of many", version: "1" } };
  let resumed: TestClient["resumed"];
  for (let round = 0; round < 5; round++) {
    const call = callTool(fleet, name, {}, testClient({ caller, ...(resumed ? { resumed } : {}) }));
    const end = await call.catch((each: unknown) => each);
    if (typeof end === "string") return end;
    if (!(end instanceof Paused)) throw end;
    resumed = { state: end.state ?? "", answers: Object.fromEntries(Object.keys(end.asks).map((key) => [key, rootsOf(who)])) }; // prettier-ignore
  }
  throw new Error("asked and asked");
}

it("tells a server what its client can be asked, and gives equal clients one connection", async () => {
  await using fleet = openFleet([rawServer("raw"), rawServer("own", {}, { isInteractive: true })]);
  await known(fleet, "raw", "own");
  const told = { elicitation: { form: {} }, sampling: {}, roots: {} };
  expect(JSON.parse(await callTool(fleet, "raw__capabilities"))).toEqual(told);
  expect(JSON.parse(await callTool(fleet, "own__capabilities"))).toEqual(told);
  const clients = [client("one"), client("two"), client("three", { can: CAN_NOTHING })];
  const pids = (name: string) => Promise.all(clients.map((each) => callTool(fleet, name, {}, each)));
  expect(new Set(await pids("raw__pid")).size).toBe(2);
  expect(new Set(await pids("own__pid")).size).toBe(3);
});

it("lists what needs a client that can be asked, and keeps it when others list less", async () => {
  const lists = memoryLists();
  const names = (fleet: ReturnType<typeof openFleet>) =>
    fleet.source.items("tool", testClient().caller).map(({ name }) => name);
  {
    await using fleet = openFleet([rawServer("raw")], { lists, limits: { refreshMs: 0, debounceMs: 1 } });
    await known(fleet, "raw");
    expect(names(fleet)).toContain("raw__for-askable");
    await callTool(fleet, "raw__grow", {}, client("one", { can: CAN_NOTHING }));
    await expect.poll(() => names(fleet)).toContain("raw__grown");
    expect(names(fleet)).toContain("raw__for-askable");
    await callTool(fleet, "raw__shrink", {}, client("one", { can: CAN_NOTHING }));
    await expect.poll(() => names(fleet)).not.toContain("raw__grown");
    expect(names(fleet)).toContain("raw__for-askable");
  }
  // Started anew, with what is remembered: the first connection is one that is told less.
  await using fleet = openFleet([rawServer("raw")], { lists, limits: { refreshMs: 0 } });
  await fleet.settled();
  expect(await callTool(fleet, "raw__echo", { value: "x" }, client("one", { can: CAN_NOTHING }))).toBe("x");
  const connected = () => fleet.logs("raw").filter(({ text }) => text.startsWith("connected"));
  await expect.poll(connected, { timeout: 8_000 }).toHaveLength(2);
  expect(names(fleet)).toContain("raw__for-askable");
});

describe("a server that asks what cannot be told to be for one client", () => {
  it("gets an error, nobody is asked, and each client has a connection of its own from then on", async () => {
    await using fleet = openFleet([rawServer("raw")]);
    await known(fleet, "raw");
    const clients = [client("one"), client("two")];
    const ask = () => Promise.all(clients.map((each) => callTool(fleet, "raw__ask", {}, each)));
    for (const answer of await ask()) expect(answer).toContain("cannot be told");
    for (const { asked } of clients) expect(asked).toEqual([]);
    expect((await ask()).map((each) => JSON.parse(each) as unknown)).toMatchObject([{ content: { by: "one" } }, { content: { by: "two" } }]); // prettier-ignore
    const mute = ["three", "four"].map((name) => client(name, { can: CAN_NOTHING }));
    const pids = await Promise.all([...clients, ...mute].map((each) => callTool(fleet, "raw__pid", {}, each)));
    expect(new Set(pids).size).toBe(3);
    // Calls of one client: it does not matter which of them the question is for.
    const [one] = clients;
    const own = await Promise.all([callTool(fleet, "raw__ask", {}, one), callTool(fleet, "raw__ask", {}, one)]);
    for (const answer of own) expect(answer).toContain('"by":"one"');
  });

  it("is known for it by the next program on the store", async () => {
    const lists = memoryLists();
    {
      await using fleet = openFleet([rawServer("raw")], { lists });
      await known(fleet, "raw");
      await callTool(fleet, "raw__roots", {}, client("one"));
      await expect.poll(() => [...lists.texts.values()].join("")).toContain('"personal":"roots"');
    }
    await using fleet = openFleet([rawServer("raw")], { lists });
    await fleet.settled();
    const pids = [client("one"), client("two")].map((each) => callTool(fleet, "raw__pid", {}, each));
    expect(new Set(await Promise.all(pids)).size).toBe(2);
  });
});

describe("a server that asks for roots in a call", () => {
  it("gets those of the only client that is calling, and nobody else comes over that connection any more", async () => {
    await using fleet = openFleet([rawServer("raw")]);
    await known(fleet, "raw");
    const [one, two] = [client("one"), client("two")];
    const before = await callTool(fleet, "raw__pid", {}, one);
    expect(await callTool(fleet, "raw__pid", {}, two)).toBe(before);
    expect(JSON.parse(await callTool(fleet, "raw__roots", {}, one))).toEqual(rootsOf("one"));
    expect(await callTool(fleet, "raw__pid", {}, one)).toBe(before);
    expect(await callTool(fleet, "raw__pid", {}, two)).not.toBe(before);
    expect(JSON.parse(await callTool(fleet, "raw__roots", {}, two))).toEqual(rootsOf("two"));
  });

  it("gets none while clients that differ are calling", async () => {
    await using fleet = openFleet([rawServer("raw")]);
    await known(fleet, "raw");
    const [one, two] = [client("one"), client("two")];
    await callTool(fleet, "raw__pid", {}, one);
    const waiting = callTool(fleet, "raw__sleep", { ms: 200 }, two);
    expect(await callTool(fleet, "raw__roots", {}, one)).toContain("cannot be told");
    expect(one.asked).toEqual([]);
    await waiting;
  });

  it("gets them from clients that come back with their answers", async () => {
    await using fleet = openFleet([rawServer("raw")]);
    await known(fleet, "raw");
    for (const name of ["one", "two", "one"]) expect(JSON.parse(await callModern(fleet, "raw__roots", name))).toEqual(rootsOf(name)); // prettier-ignore
  });
});

describe("a server that asks for roots at its start", () => {
  it("has got those of each client before its first call, whatever it keeps of them", async () => {
    await using fleet = openFleet([rawServer("raw", { asksForRoots: true })]);
    await known(fleet, "raw");
    const clients = ["one", "two"].map((name) => client(name));
    for (let round = 0; round < 2; round++) {
      const kept = await Promise.all(clients.map((each) => callTool(fleet, "raw__roots-kept", {}, each)));
      expect(kept.map((each) => JSON.parse(each) as unknown)).toEqual([rootsOf("one"), rootsOf("two")]);
    }
    for (const name of ["three", "four", "three"]) expect(JSON.parse(await callModern(fleet, "raw__roots-kept", name))).toEqual(rootsOf(name)); // prettier-ignore
    expect(await callTool(fleet, "raw__roots-kept", {}, client("five", { can: CAN_NOTHING }))).toBe("none");
    for (const { asked } of clients) expect(asked).toHaveLength(1);
  });

  it("hears that they are others with the next call of their client, and not those of another", async () => {
    await using fleet = openFleet([rawServer("raw", { asksForRoots: true })]);
    await known(fleet, "raw");
    const listChanged = { ...testClient().can, declared: { roots: { listChanged: true } } };
    const roots = { one: "one", two: "two" };
    const clients = (["one", "two"] as const).map((name) => client(name, { can: listChanged, answers: () => rootsOf(roots[name]) })); // prettier-ignore
    const kept = async () => {
      const all = await Promise.all(clients.map((each) => callTool(fleet, "raw__roots-kept", {}, each)));
      return all.map((each) => JSON.parse(each) as unknown);
    };
    expect(await kept()).toEqual([rootsOf("one"), rootsOf("two")]);
    Object.assign(roots, { one: "new", two: "unsaid" });
    const [one] = clients;
    if (one) fleet.source.rootsChanged?.(one.caller);
    expect(await kept()).toEqual([rootsOf("new"), rootsOf("two")]);
  });

  it("has them again after it has died", async () => {
    await using fleet = openFleet([rawServer("raw", { asksForRoots: true })]);
    await known(fleet, "raw");
    const one = client("one");
    await callTool(fleet, "raw__die", {}, one).catch(() => {});
    expect(JSON.parse(await callTool(fleet, "raw__roots-kept", {}, one))).toEqual(rootsOf("one"));
  });
});

it("tells the channel that was sent to a URL, and no other, when that is done", async () => {
  await using fleet = openFleet([rawServer("raw")]);
  await known(fleet, "raw");
  const heard: unknown[] = [];
  fleet.source.onMessage?.((message) => heard.push(message));
  const can = { ...testClient().can, elicitUrl: true };
  await callTool(fleet, "raw__url", {}, client("one", { can }));
  await expect.poll(() => heard).toEqual([{ elicitationId: "e1", channel: "one" }]);
  // What has to be done before the call.
  await expect(callTool(fleet, "raw__url-first", {}, client("two", { can }))).rejects.toMatchObject({ rpc: { code: -32042 } }); // prettier-ignore
  await expect.poll(() => heard.slice(1)).toEqual([{ elicitationId: "e2", channel: "two" }]);
});
