import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { openRealPackages } from "../../test/support/npm-registry.ts";
import { Deadline } from "../core/deadline.ts";
import { bundlePackages, type BundleTask } from "./bundle.ts";
import { literalImports } from "./compile.ts";
import { makeLayer } from "./fixtures/layer.ts";
import { done, failed, runBody } from "./fixtures/run-body.ts";
import { createQuickjsEngine } from "./quickjs/quickjs-engine.ts";

const engine = createQuickjsEngine();
const folder = mkdtempSync(join(tmpdir(), "dynamic-mcp-packages-"));
const real = await openRealPackages(folder);
const layers: ReturnType<typeof makeLayer>[] = [];
afterEach(() => {
  for (const layer of layers.splice(0)) layer.remove();
});
afterAll(async () => {
  await engine.close();
  await real?.close();
  await rm(folder, { recursive: true, force: true });
});

function layerOf(files: Record<string, string>): string {
  const layer = makeLayer(files);
  layers.push(layer);
  return layer.folder;
}

async function bundle(task: Omit<BundleTask, "imports"> & { imports?: string[] }) {
  return bundlePackages({ imports: ["a"], ...task }, new Deadline(30_000), engine);
}

/** Runs a body with the packages that it imports, as the line does. */
async function run(code: string, from: string) {
  const imports = await literalImports(code);
  const made = await bundle({ folder: from, imports: imports.map(({ name }) => name) });
  if ("reason" in made) throw new Error(made.reason);
  return runBody(engine, code, { bundle: made });
}

describe("bundled packages in quickjs", () => {
  const files = { "a/index.js": `exports.fail = () => { throw new TypeError("from a") }; exports.one = 1;` };

  it("are what import gives, once in a run, and fresh in the next", async () => {
    const from = layerOf({ "a/index.js": "globalThis.n = (globalThis.n ?? 0) + 1; exports.n = globalThis.n" });
    const code = "const first = await import('a'); const { default: d, n } = await import(\"a\"); return [n, d.n, first.default === d, Object.keys(first)]"; // prettier-ignore
    for (let runs = 0; runs < 2; runs++) {
      expect(JSON.parse(done(await run(code, from)).resultJson)).toEqual([1, 1, true, ["default", "module.exports", "n"]]); // prettier-ignore
    }
  });

  it("move no position of the author's code", async () => {
    const code = `const { fail } = await import("a"); /* import("a") */ const text = 'import("a")';\nfail(text);`;
    const end = failed(await run(code, layerOf(files)));
    expect(end).toMatchObject({ code: "CODE_THREW", errorName: "TypeError", message: "from a", line: 2, column: 5 });
    const own = failed(await run(`await import("a"); null.x`, layerOf(files)));
    expect(own).toMatchObject({ line: 1, column: expect.any(Number) as number });
    expect(own.column).toBeGreaterThan(18);
    expect(JSON.parse(done(await run(`await import("a"); return 'import("a")'`, layerOf(files))).resultJson)).toBe('import("a")'); // prettier-ignore
  });

  it("leave a name that is in the code alone, and say what is not there", async () => {
    const code = `const $i0000 = 1; return [$i0000, (await import("a")).one]`;
    expect(JSON.parse(done(await run(code, layerOf(files))).resultJson)).toEqual([1, 1]);
    const made = await bundle({ folder: layerOf(files) });
    const end = failed(await runBody(engine, `await import("b")`, "js" in made ? { bundle: made } : {}));
    expect(end.message).toContain("Cannot find package 'b'");
  });

  it("are held by the job's limits like the author's code", async () => {
    const made = await bundle({ folder: layerOf({ "a/index.js": "exports.loop = () => { for (;;); }" }) });
    const job = { ...("js" in made && { bundle: made }), timeoutMs: 300 };
    expect(failed(await runBody(engine, `(await import("a")).loop()`, job)).code).toBe("TIMEOUT");
  });
});

describe("bundling", () => {
  it("runs none of the packages' code where it could do harm [packages-no-scripts]", async () => {
    const harm = "typeof process === 'undefined' ? 0 : process.exitCode = 7; exports.x = typeof process";
    const made = await bundle({ folder: layerOf({ "a/index.js": harm }) });
    expect(made).toMatchObject({ digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    expect(process.exitCode).not.toBe(7);
  });

  it.each([
    ["throws", "throw new Error('not here')", /do not load .*not here/],
    ["needs what is not there", "exports.x = new Temporal.Now()", /do not load .*Temporal/],
    ["never ends", "for (;;);", /do not load .*time limit of 2000 ms/],
  ])("gives a reason for what %s when it is loaded", async (_, source, why) => {
    const made = await bundle({ folder: layerOf({ "a/index.js": source }) });
    expect(made).toMatchObject({ reason: expect.stringMatching(why) as string });
  });

  it.each([
    ["nested beyond reading", `module.exports = ${"(".repeat(60_000)}1${")".repeat(60_000)}`],
    ["nested in arrays", "[".repeat(60_000)],
    ["without end", `module.exports = \`${"${`".repeat(20_000)}`],
  ])("gives a reason for what is %s", async (_, source) => {
    expect(await bundle({ folder: layerOf({ "a/index.js": source }) })).toHaveProperty("reason");
  });

  it("ends with its deadline", async () => {
    const deadline = new Deadline(60_000);
    const made = bundlePackages({ folder: layerOf({ "a/index.js": "" }), imports: ["a"] }, deadline, engine);
    deadline.end("client");
    await expect(made).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe.skipIf(!real)("packages of npm", () => {
  async function layerFor(name: string, version: string): Promise<string> {
    const deadline = new Deadline(60_000);
    const lock = await real?.resolve([{ name, version }], deadline);
    const lease = lock && (await real?.layer(lock, deadline));
    return lease?.folder ?? "";
  }

  it.each([
    ["ms", "2.1.3", `(await import("ms")).default("2 days")`, 172_800_000],
    ["nanoid", "5.1.6", `(await import("nanoid")).nanoid().length`, 21],
    ["slugify", "1.6.6", `(await import("slugify")).default("Some Text!")`, "Some-Text!"],
    [
      "dayjs",
      "1.11.19",
      `(await import("dayjs")).default("2026-01-31").add(1, "month").format("YYYY-MM-DD")`,
      "2026-02-28",
    ],
    ["semver", "7.7.3", `(await import("semver")).satisfies("1.2.3", "^1.0.0 || 3")`, true],
    ["camelcase", "9.0.0", `(await import("camelcase")).default("foo-bar baz")`, "fooBarBaz"],
    ["uuid", "13.0.0", `(await import("uuid")).v5("a", "6ba7b810-9dad-11d1-80b4-00c04fd430c8").length`, 36],
    ["clsx", "2.1.1", `(await import("clsx")).clsx("a", { b: true })`, "a b"],
  ])("%s works", async (name, version, expression, result) => {
    const end = done(await run(`return ${expression}`, await layerFor(name, version)));
    expect(JSON.parse(end.resultJson)).toEqual(result);
  });

  it.each([
    ["zod", "4.1.12", /./],
    ["fs-extra", "11.3.2", /needs Node's own module|uses process/],
    // Their builds for browsers load, and then do something else than Node's.
    ["ws", "8.18.3", /needs Node's own module|uses process/],
    ["bcryptjs", "3.0.2", /needs Node's own module crypto/],
    ["tweetnacl", "1.0.3", /needs Node's own module crypto/],
    ["lodash", "4.17.21", /larger than/],
  ])("%s is left to engines with Node", async (name, version, why) => {
    expect(await bundle({ folder: await layerFor(name, version), imports: [name] })).toMatchObject({
      reason: expect.stringMatching(why) as string,
    });
  });
});
