import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { programFile } from "../support/program.ts";
import { openAsking, untilListed } from "./asking.ts";
import { openGateway, withGateway, type Gateway } from "./open-gateway.ts";
import { plain } from "./plain.ts";

const WAIT = { timeout: 10_000, interval: 30 };
const run = promisify(execFile);

describe("what a client sees of many tools", () => {
  let gateway: Awaited<ReturnType<typeof openGateway>>;
  const at = (exposure: string) => openAsking(`${gateway.url}?exposure=${exposure}`);
  const SHOWN = ["direct", "search", "groups", "auto"];

  beforeAll(async () => {
    gateway = await openGateway(
      {
        one: { ...plain("--tools", "60"), description: "The first" },
        two: { ...plain(), description: "The second" },
        shown: { ...plain(), expose: "direct" },
        found: { ...plain(), expose: "search" },
      },
      { args: ["--exposure", "auto", "--exposure-budget-tokens", "4000"] },
    );
    const client = await openAsking(`${gateway.url}?exposure=direct`);
    await untilListed(client, "one__echo", "two__echo", "shown__echo");
  });
  afterAll(() => gateway.close());

  it("is everything, what finds and calls tools, or two tools for groups, as the URL says", async () => {
    const [direct, search, groups] = await Promise.all(["direct", "search", "groups"].map(async (how) => (await at(how)).names())); // prettier-ignore
    expect(direct).toEqual(expect.arrayContaining(["one__extra_59", "two__echo", "tool_call"]));
    expect(direct).not.toContain("found__echo");
    expect(search).toEqual(expect.arrayContaining(["tool_search", "tool_describe", "tool_call", "shown__echo"]));
    expect(search).not.toContain("one__echo");
    expect(groups).toEqual(expect.arrayContaining(["get_dynamic_tools", "call_dynamic_tool", "shown__echo"]));
    expect(groups).not.toContain("one__echo");
  });

  it("is chosen by what it would cost, unless the URL says it", async () => {
    const names = await (await openAsking(gateway.url)).names();
    expect(names).toContain("tool_search");
    expect(names).not.toContain("one__echo");
    const options = { args: ["--exposure", "auto", "--exposure-budget-tokens", "40000"] };
    const few = async ({ url }: Gateway) => untilListed(await openAsking(url), "two__echo");
    await withGateway({ two: plain() }, few, options);
  });

  it.each(SHOWN)("keeps every tool callable by tool_call: %s", async (exposure) => {
    const client = await at(exposure);
    for (const name of ["one__echo", "two__echo", "shown__echo", "found__echo"]) {
      expect((await client.call("tool_call", { name, arguments: { text: name } })).text).toBe(name);
    }
    expect((await client.call("two__echo", { text: "listed or not" })).text).toBe("listed or not");
  });

  it("finds tools, describes them, and says that nothing fits", async () => {
    const client = await at("search");
    const found = await client.call("tool_search", { queries: ["extra_7", "give back a text"] });
    expect(found.text).toContain("one__extra_7");
    expect(found.text).toMatch(/__echo/);
    const described = await client.call("tool_describe", { names: ["found__echo"] });
    expect(JSON.parse(described.text)).toMatchObject({
      name: "found__echo",
      inputSchema: { properties: { text: {} } },
    });
    expect((await client.call("tool_search", { queries: ["quantum blockchain pelican"] })).text).toContain("nothing fits"); // prettier-ignore
  });

  it("shows groups, what is in one, and calls it", async () => {
    const client = await at("groups");
    const about = (await client.tools()).find(({ name }) => name === "get_dynamic_tools")?.["description"];
    for (const words of ["one: The first", "two: The second"]) expect(about).toContain(words);
    const all = await client.call("get_dynamic_tools");
    expect(all.text).toContain("The first");
    const tools = JSON.parse(
      (await client.call("get_dynamic_tools", { group: "two", names: ["echo"] })).text,
    ) as object[];
    expect(tools).toMatchObject([{ name: "echo", inputSchema: { properties: { text: { type: "string" } } } }]);
    expect((await client.call("call_dynamic_tool", { group: "two", name: "echo", args: { text: "x" } })).text).toBe(
      "x",
    );
    expect(await client.call("call_dynamic_tool", { group: "tow", name: "echo", args: {} })).toMatchObject({ isError: true, text: expect.stringContaining("two") }); // prettier-ignore
  });

  it("is a preview of a large answer, which can be read on as a resource and through result_read", async () => {
    const client = await at("direct");
    expect((await client.call("two__large", { bytes: 49_000 })).text).toHaveLength(49_000);
    const { text, isError } = await client.call("two__large", { bytes: 300_000 });
    expect(isError).toBe(false);
    expect(text.length).toBeLessThan(60_000);
    const uri = /dynamic-mcp:\/\/results\/[\w-]+/.exec(text)?.[0] ?? "";
    const { result } = await client.ask("resources/read", { uri });
    expect(JSON.stringify(result)).toContain("x".repeat(1_000));
    const on = await client.call("result_read", { handle: uri, offset: 1_000, chars: 10 });
    expect(on.text).toContain("x".repeat(10));
  });
});

it("keeps servers with tools of the same names apart, and shows them as their definitions say", async () => {
  const servers = {
    a: { ...plain(), tools: { allow: ["echo", "p*"], rename: { pid: "process" } } },
    b: { ...plain(), tools: { deny: ["*e*", "wrong-*"] } },
    bare: { ...plain("--named", "alone"), prefix: false, tools: { allow: ["alone", "echo"] } },
    prefixed: { ...plain(), prefix: "p", tools: { allow: ["echo"] } },
  };
  await withGateway(servers, async ({ url }) => {
    const client = await openAsking(url);
    await untilListed(client, "a__echo", "b__pid", "alone", "p__echo");
    const names = await client.names();
    const own = (start: string) => names.filter((name) => name.startsWith(start));
    expect(own("a__")).toEqual(["a__echo", "a__process"]);
    expect(own("b__")).toEqual(["b__ask", "b__can", "b__hint", "b__pid"]);
    expect(names.filter((name) => !name.includes("__"))).toEqual(expect.arrayContaining(["alone", "echo"]));
    expect((await client.call("a__process")).text).not.toBe((await client.call("b__pid")).text);
    expect((await client.call("a__sleep", { ms: 1 })).isError).toBe(true);
    expect((await client.call("alone")).text).toBe("alone ran");
    expect((await client.call("p__echo", { text: "x" })).text).toBe("x");
  });
});

it("takes up what the command line of another process does to its servers", async () => {
  await withGateway({ file: plain() }, async (gateway) => {
    const client = await openAsking(gateway.url);
    await untilListed(client, "file__echo");
    const { command, args } = plain("--says", "here is what I say");
    expect(await line(gateway, "add", "added", "-e", "HINT=given", "--", command, ...args)).toContain("added works");
    await untilListed(client, "added__echo");
    expect((await client.call("added__hint")).text).toBe("given");
    const pid = (await client.call("added__pid")).text;

    await line(gateway, "servers", "restart", "added");
    await expect.poll(async () => (await client.call("added__pid")).text, WAIT).not.toBe(pid);
    expect(await line(gateway, "servers", "logs", "added")).toContain("here is what I say");
    expect(await line(gateway, "list")).toMatch(/added[^]*file/);

    await line(gateway, "remove", "added");
    await expect.poll(client.names, WAIT).not.toContain("added__echo");
    expect(await client.call("added__echo")).toMatchObject({ isError: true, code: "TOOL_NOT_FOUND" });
    expect((await client.call("file__echo", { text: "still" })).text).toBe("still");
  });
});

describe("attaching", () => {
  const adminToken = "a-token-of-the-operator-0123456789";
  const ATTACH = ["--experimental-upstream-mcp-attach", "--exposure", "direct", "--profile", "enterprise"];

  it("makes tools callable at once, for the operator alone, as many servers as may be", async () => {
    const args = [...ATTACH, "--admin-token", adminToken, "--experimental-upstream-mcp-attach-max", "1"];
    const use = async ({ url }: Gateway) => {
      const client = await openAsking(url);
      const server = { alias: "later", ...plain() };
      expect(await client.call("upstream_mcp_attach", server)).toMatchObject({ isError: true });
      const attached = await client.call("upstream.mcp.attach", { ...server, adminToken });
      expect(attached.result["structuredContent"]).toMatchObject({ alias: "later", transport: "stdio" });
      expect((await client.call("later__echo", { text: "at once" })).text).toBe("at once");
      expect(await client.names()).toContain("later__echo");
      const more = await client.call("upstream_mcp_attach", { ...server, alias: "more", adminToken });
      expect(more).toMatchObject({ isError: true, code: "SERVER_LIMIT" });
      const dead = { alias: "later", command: process.execPath, args: ["-e", "process.exit(4)"], replace: true, adminToken }; // prettier-ignore
      expect(await client.call("upstream_mcp_attach", dead)).toMatchObject({ isError: true });
      expect((await client.call("later__echo", { text: "the one before" })).text).toBe("the one before");
      await client.call("upstream_mcp_detach", { alias: "later", adminToken });
      expect(await client.call("later__echo")).toMatchObject({ isError: true, code: "TOOL_NOT_FOUND" });
    };
    await withGateway({}, use, { args });
  });

  it("needs a token to be there at the start", async () => {
    await expect(withGateway({}, async () => {}, { args: ATTACH })).rejects.toThrow(/admin.?token/i);
  });
});

/** The program's command line on the gateway's data folder. @returns what it printed */
async function line({ folder, configFile }: Gateway, ...args: string[]): Promise<string> {
  const all = [programFile(), "--data-dir", folder, "--config", configFile, ...args];
  const { stdout, stderr } = await run(process.execPath, all, { env: { PATH: process.env["PATH"] ?? "" } });
  return stdout + stderr;
}
