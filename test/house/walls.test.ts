import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { HOUSE, type House } from "./floors.ts";
import { breaches } from "./walls.ts";

const src = fileURLToPath(new URL("../../src/", import.meta.url));

function readTree(): Map<string, string> {
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).map((file) => file.replaceAll("\\", "/"));
  return new Map(files.filter((file) => file.endsWith(".ts")).map((file) => [file, readFileSync(src + file, "utf8")]));
}

describe("the house", () => {
  it("has its walls [house-walls]", () => {
    expect(breaches(readTree(), HOUSE)).toEqual([]);
  });
});

describe("the checker", () => {
  const house: House = {
    rooms: {
      core: { floor: 0, front: "*" },
      config: { floor: 0.5, front: "*" },
      cache: { floor: 0.5, front: ["cache"] },
      machine: { floor: 0.6, front: "*" },
      store: { floor: 1, front: ["store"], hasImplementations: true },
      guard: { floor: 2, front: ["guard"] },
      server: { floor: 3, front: ["server"] },
    },
    roots: ["compose", "main.ts"],
    builtins: { "node:child_process": ["machine"], "node:cluster": [] },
    packages: { zod: ["*"], pg: ["store"] },
    env: ["config"],
    listen: ["server"],
    computedImport: ["machine"],
  };
  const others = {
    "core/call.ts": "",
    "config/schema.ts": "",
    "cache/cache.ts": "",
    "machine/spawn.ts": "",
    "store/store.ts": "",
    "store/rows.ts": "",
    "store/sqlite/open.ts": "",
    "store/postgres/open.ts": "",
    "guard/guard.ts": "",
    "server/server.ts": "",
    "compose/compose.ts": "",
    "store/store.contract.ts": "",
  };
  const check = (file: string, source: string) =>
    breaches(new Map(Object.entries({ ...others, [file]: source })), house);

  const allowed: [string, string][] = [
    ["guard/a.ts", 'import { x } from "../store/store.ts";'],
    ["guard/a.ts", 'import { x } from "./guard.ts"; import { z } from "zod/v4"; import fs from "node:fs";'],
    ["store/sqlite/a.ts", 'import "../store.ts"; import "../rows.ts"; import "../../machine/spawn.ts"; import "pg";'],
    ["compose/a.ts", 'import "../store/sqlite/open.ts"; import "../server/server.ts";'],
    ["main.ts", 'await import("./compose/compose.ts");'],
    ["guard/a.test.ts", 'import "../server/server.ts"; import "../store/sqlite/open.ts"; console.log(process.env);'],
    ["store/fixtures/writer.ts", 'import "../sqlite/open.ts";'],
    ["config/load.ts", "export const env = process.env;"],
    ["machine/load.ts", "export const load = (url: string) => import(url);"],
    ["server/http.ts", "server.listen(0);"],
    ["guard/a.ts", "export const text = 'process.env and import(\"../server/server.ts\")'; // process.env"],
  ];
  it.each(allowed)("lets %s do: %s", (file, source) => {
    expect(check(file, source)).toEqual([]);
  });

  const forbidden: [string, string, string][] = [
    ["store/a.ts", 'import { x } from "../guard/guard.ts";', "may not look up to guard (floor 2)"],
    ["store/a.ts", 'import type { X } from "../guard/guard.ts";', "may not look up to guard (floor 2)"],
    ["store/a.ts", 'export * from "../guard/guard.ts";', "may not look up"],
    ["store/a.ts", 'export { x } from "../guard/guard.ts";', "may not look up"],
    ["store/a.ts", 'export type X = import("../guard/guard.ts").X;', "may not look up"],
    ["store/a.ts", 'const later = () => import("../guard/guard.ts");', "may not look up"],
    ["store/a.ts", "const later = () => import(`../guard/guard.ts`);", "by a computed name"],
    ["store/a.ts", 'const guard = require("../guard/guard.ts");', "may not look up"],
    ["config/a.ts", 'import { x } from "../cache/cache.ts";', "same floor (0.5): no sideways imports"],
    ["core/a.ts", 'import { x } from "../config/schema.ts";', "may not look up to config"],
    ["guard/a.ts", 'import { x } from "../store/rows.ts";', "inside store; others see only store.ts"],
    ["guard/a.ts", 'import { x } from "../store/sqlite/open.ts";', "inside store"],
    ["guard/a.ts", 'import { x } from "../compose/compose.ts";', "nobody imports compose"],
    ["store/a.ts", 'import { x } from "./sqlite/open.ts";', "does not know its implementation sqlite"],
    ["store/sqlite/a.ts", 'import { x } from "../postgres/open.ts";', "do not know each other"],
    ["store/sqlite/a.ts", 'import { x } from "../../config/schema.ts";', "an implementation imports only core"],
    ["guard/a.ts", 'import { x } from "../store/store.contract.ts";', "may not import tests"],
    ["guard/a.ts", 'import { x } from "../store/store";', "there is no such file"],
    ["guard/a.ts", 'import pack from "../../package.json";', "nothing outside src"],
    ["guard/a.ts", 'import { spawn } from "node:child_process";', "only machine may import this part of Node"],
    ["machine/a.ts", 'import cluster from "node:cluster";', "only nobody may"],
    ["guard/a.ts", 'import { spawn } from "child_process";', 'write "node:child_process"'],
    ["core/a.ts", 'import { readFileSync } from "node:fs";', "core does no input or output"],
    ["guard/a.ts", 'import { Pool } from "pg";', "only store may import this package"],
    ["guard/a.ts", 'import x from "@scope/name/part";', "not in the plan"],
    ["guard/a.ts", "export const x = process.env.HOME;", "only config may read process.env"],
    ["guard/a.ts", 'export const x = globalThis.process["env"];', "only config may read process.env"],
    ["guard/a.ts", "const { env } = process;", "only config may read process.env"],
    ["guard/a.ts", 'import { env } from "node:process";', "only config may read process.env"],
    ["guard/a.ts", "createServer().listen(0);", "only server may listen"],
    ["guard/a.ts", "export const load = (url: string) => import(url);", "by a computed name"],
    ["attic/a.ts", "", 'the folder "attic" is not in the plan'],
  ];
  it.each(forbidden)("refuses that %s does: %s", (file, source, rule) => {
    const found = check(file, source);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(rule);
    expect(found[0]).toContain(file);
  });

  it("names the line", () => {
    expect(check("store/a.ts", '\n\nimport "../guard/guard.ts";')).toEqual([
      'store/a.ts:3 imports "../guard/guard.ts": store (floor 1) may not look up to guard (floor 2)',
    ]);
  });
});
