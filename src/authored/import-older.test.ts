import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deadline } from "../core/deadline.ts";
import { SILENT } from "../core/source.ts";
import { createAuthored } from "./create-authored.ts";
import { createTestServices } from "./fixtures/services.ts";
import { importOlderTools } from "./import-older.ts";

const by = { principal: "import", deadline: new Deadline(60_000) };
const record = (name: string, more: object = {}) => ({
  name,
  description: "An older tool",
  image: "node:lts-slim",
  timeoutMs: 30000,
  dependencies: [],
  code: "return args",
  enabled: true,
  createdAt: "2025-01-01T00:00:00.000Z",
  updatedAt: "2025-01-01T00:00:00.000Z",
  revision: 4,
  ...more,
});

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "import-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(content: unknown): Promise<string> {
  const path = join(folder, `${++files}.json`);
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

async function open() {
  const { services, store } = createTestServices();
  const { tools } = await createAuthored(services);
  const from = (path: string) => importOlderTools(path, { store, tools, log: SILENT, now: services.now }, by);
  const names = async () => (await tools.list({ limit: 100 })).tools.map(({ name }) => name);
  return { tools, from, names };
}

describe("an older tools.json", () => {
  it("is taken over, disabled tools as they were", async () => {
    const { from, tools, names } = await open();
    const path = await fileOf({ version: 1, tools: [record("text.upper"), record("other", { enabled: false })] });
    expect(await from(path)).toEqual({ imported: ["text.upper", "other"], skipped: [] });
    expect(await names()).toEqual(["other", "text.upper"]);
    expect(await tools.get("other")).toMatchObject({ enabled: false, revision: 1 });
    expect((await tools.history("other", { limit: 1 })).revisions).toMatchObject([
      { change: "import", author: "import" },
    ]);
  });

  it("reports bad records and takes the others", async () => {
    const { from, names } = await open();
    const tools = [record("good"), record("system.health"), record("bad code", {}), record("broken", { code: "}" }), record("needs.node", { code: "return process.pid" }), null, { name: 7 }]; // prettier-ignore
    const { imported, skipped } = await from(await fileOf({ version: 1, tools }));
    expect(imported).toEqual(["good"]);
    expect(skipped.map(({ name, reason }) => `${name} ${reason.split(":")[0]}`)).toEqual([
      "system.health NAME_RESERVED",
      "bad code INVALID_NAME",
      "broken INVALID_CODE",
      "needs.node ENGINE_UNAVAILABLE",
      "(record 6) INVALID_ARGUMENTS",
      "(record 7) INVALID_ARGUMENTS",
    ]);
    expect(await names()).toEqual(["good"]);
  });

  it("is taken over once: what is deleted here stays deleted, what is new there comes", async () => {
    const { from, tools, names } = await open();
    const path = await fileOf({ version: 1, tools: [record("one")] });
    await from(path);
    await tools.remove("one", by);
    expect(await from(path)).toEqual({ imported: [], skipped: [] });
    await writeFile(path, JSON.stringify({ version: 1, tools: [record("one"), record("two")] }));
    expect((await from(path)).imported).toEqual(["two"]);
    expect(await names()).toEqual(["two"]);
  });

  it("never replaces a tool of ours", async () => {
    const { from, tools } = await open();
    const path = await fileOf({ version: 1, tools: [record("mine", { code: "return 'theirs'" })] });
    await from(await fileOf({ version: 1, tools: [record("mine", { code: "return 'ours'" })] }));
    expect((await from(path)).skipped).toMatchObject([{ name: "mine", reason: expect.stringContaining("NAME_TAKEN") }]);
    expect((await tools.get("mine")).code).toBe("return 'ours'");
    expect(await from(path)).toEqual({ imported: [], skipped: [] });
  });

  it.each([["not JSON", "{"], ["another file", { servers: {} }], ["null", null]])("is nothing when it is %s", async (_what, content) => {
    const { from } = await open();
    expect(await from(await fileOf(content))).toEqual({ imported: [], skipped: [] });
  }); // prettier-ignore

  it("may be missing", async () => {
    const { from } = await open();
    expect(await from(join(folder, "none", "tools.json"))).toEqual({ imported: [], skipped: [] });
  });
});
