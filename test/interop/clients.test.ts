import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { HttpListener } from "../../src/server/server.ts";
import { openWorld, type World } from "../support/open-world.ts";
import { connectV1, connectV2, ROOTS, type TestClient, type Where } from "./clients.ts";
import pack from "./pack.ts";

let world: World;
let listener: HttpListener;
beforeAll(async () => {
  world = await openWorld(pack, { pageSize: 7 });
  listener = await world.listen();
});
afterAll(() => world.close());

const CLIENTS: [string, (where: Where) => Promise<TestClient>][] = [
  ["SDK v1", connectV1],
  ["SDK v2, older era", (where) => connectV2(where, "legacy")],
  ["SDK v2, 2026-07-28", (where) => connectV2(where, "modern")],
];
const PLACES: [string, () => Where][] = [
  ["HTTP", () => ({ url: listener.url })],
  ["stdio", () => "stdio"],
];

describe.each(PLACES)("over %s", (_place, where) => {
  describe.each(CLIENTS)("%s", (_name, connect) => {
    let client: TestClient;
    beforeAll(async () => {
      client = await connect(where());
    });
    afterAll(() => client.close());
    const text = async (name: string, args?: Record<string, unknown>) =>
      (await client.call(name, args)).content[0]?.text;

    it("lists every tool once, page by page, in one order", async () => {
      const { listTools } = client;
      const names: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await listTools(cursor);
        names.push(...page.tools.map(({ name }) => name));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(names).toHaveLength(pack.tools?.length ?? 0);
      expect(names).toEqual([...new Set(names)].toSorted());
    });

    it("calls tools, reads prompts, resources and completions", async () => {
      const { getPrompt, readResource, complete } = client;
      expect(await text("echo", { text: "grüß dich 👋" })).toBe("grüß dich 👋");
      expect((await getPrompt("test_simple_prompt")).messages).toHaveLength(1);
      expect((await readResource("test://template/12/data")).contents).toHaveLength(1);
      expect(await complete("test_prompt_with_arguments", "arg1", "par")).toEqual(["paris", "park", "party"]);
    });

    it("gives results that are no object as its era knows them", async () => {
      const { call, listTools, era } = client;
      // Clients check results against the schema that they have seen listed.
      for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
        cursor = (await listTools(cursor)).nextCursor;
      }
      const { structuredContent } = await call("number", { value: 3 });
      expect(structuredContent).toEqual(era === "modern" ? 3 : { result: 3 });
    });

    it("says what is wrong with arguments in a result that the model reads", async () => {
      const { call } = client;
      const result = await call("echo", { text: 5 });
      expect(result.isError).toBe(true);
      expect(result.content[0]?.text).toMatch(/text/);
    });

    it("refuses an unknown tool with -32602", async () => {
      const { call } = client;
      await expect(call("nobody")).rejects.toMatchObject({ code: -32602 });
    });

    it("reports progress while a tool runs", async () => {
      const { call } = client;
      const seen: number[] = [];
      await call("test_tool_with_progress", {}, { onprogress: ({ progress }) => void seen.push(progress) });
      // A client of the first line may drop the last one when it comes in one piece with the result.
      expect(seen.slice(0, 2)).toEqual([0, 50]);
    });

    it("asks the user, the model and for roots, several at once and one after the other", async () => {
      expect(await text("test_input_required_result_elicitation")).toBe("Hello, Ada!");
      expect(await text("test_input_required_result_multiple_inputs")).toBe("Paris Ada");
      expect(await text("test_input_required_result_list_roots")).toBe(JSON.stringify(ROOTS));
      expect(await text("test_input_required_result_multi_round")).toBe("Ada likes blue");
    });

    it("really ends a run that its client cancels [mcp-cancel]", async () => {
      const { call } = client;
      const before = await runs(call);
      const abort = new AbortController();
      const cancelled = call("wait", {}, { signal: abort.signal });
      await vi.waitFor(async () => expect((await runs(call)).waiting).toBe(1), WAIT);
      abort.abort();
      await expect(cancelled).rejects.toThrow();
      await vi.waitFor(async () => {
        const { waiting, ended } = await runs(call);
        expect(waiting).toBe(0);
        expect(ended.slice(before.ended.length)).toEqual(["client"]);
      }, WAIT);
    });

    it("tells once that the list of tools has changed [mcp-notices-once]", async () => {
      const { call, heard } = client;
      // The stream of notices of the older era opens beside the first requests.
      await vi.waitFor(async () => {
        await call("test_trigger_tool_change");
        await vi.waitFor(() => expect(heard.toolsChanged).toBeGreaterThan(0), { timeout: 300 });
      }, WAIT);
      const before = heard.toolsChanged;
      await call("test_trigger_tool_change");
      await vi.waitFor(() => expect(heard.toolsChanged).toBe(before + 1), WAIT);
      await call("echo", { text: "something later" });
      expect(heard.toolsChanged).toBe(before + 1);
    });

    it("tells those who subscribed that a resource has changed", async () => {
      const { call, subscribe, heard } = client;
      await subscribe("test://watched-resource");
      await vi.waitFor(async () => {
        await call("test_update_resource");
        await vi.waitFor(() => expect(heard.updated).toContain("test://watched-resource"), { timeout: 300 });
      }, WAIT);
    });
  });

  it("logs to a client of the older era", async () => {
    const client = await connectV1(where());
    await client.call("test_tool_with_logging");
    expect(client.heard.logged).toHaveLength(3);
    await client.close();
  });
});

const WAIT = { timeout: 10_000, interval: 20 };

async function runs(call: TestClient["call"]): Promise<{ waiting: number; ended: string[] }> {
  return (await call("waiting")).structuredContent as { waiting: number; ended: string[] };
}
