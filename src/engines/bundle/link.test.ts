import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { afterEach, describe, expect, it } from "vitest";
import { makeLayer } from "../fixtures/layer.ts";
import { link } from "./link.ts";

const layers: ReturnType<typeof makeLayer>[] = [];
afterEach(() => {
  for (const layer of layers.splice(0)) layer.remove();
});

type Files = Record<string, string>;
const MAX_BYTES = 50_000;

function bundle(files: Files, name = "a", maxBytes = MAX_BYTES): string {
  const layer = makeLayer(files);
  layers.push(layer);
  return link({ folder: realpathSync(layer.folder), imports: [name], maxBytes });
}

/** A program that sees the namespace as `ns` and gives JSON, in the bundle and in Node itself. */
function both(files: Files, program: string, name = "a"): { bundled: unknown; node: unknown } {
  const js = bundle(files, name);
  const run = `(async () => JSON.stringify(await (async (ns) => ${program})(await load(${JSON.stringify(name)}))))()`;
  const script = `const load = (name) => import(name); console.log(await ${run})`;
  const folder = layers.at(-1)?.folder ?? "";
  const options = { cwd: folder, encoding: "utf8", stdio: "pipe" } as const;
  const node = execFileSync(process.execPath, ["--input-type=module", "--no-warnings", "-e", script], options);
  const context = createContext({ console });
  const text = runInContext(
    `const modules = ${js}; const load = async (name) => modules[name](); ${run}`,
    context,
  ) as Promise<string>;
  return { bundled: text.then((json) => JSON.parse(json) as unknown), node: JSON.parse(node) as unknown };
}

async function expectSame(files: Files, program: string, name?: string): Promise<unknown> {
  const { bundled, node } = both(files, program, name);
  expect(asHere(await bundled)).toEqual(node);
  return node;
}

/** Node before 23 does not give CommonJS the name "module.exports". */
function asHere(value: unknown): unknown {
  if (Number(process.versions.node.split(".")[0]) >= 23) return value;
  return JSON.parse(JSON.stringify(value), (_, inner: unknown) =>
    Array.isArray(inner) ? inner.filter((each) => each !== "module.exports") : inner,
  ) as unknown;
}

const ESM = '{"type":"module"}';
const SHAPE = `({ keys: Object.keys(ns), tag: Object.prototype.toString.call(ns), proto: Object.getPrototypeOf(ns), open: Object.isExtensible(ns) })`; // prettier-ignore

describe("a bundle of ECMAScript modules is what Node gives", () => {
  it("with every form of export and import [packages-bundled-same]", async () => {
    const files = {
      "a/package.json": ESM,
      "a/index.js": `
        import def, { one as uno, "a name" as odd } from "./b.js";
        import * as b from "./b.js";
        import "./effect.js";
        export * from "./c.js";
        export * as whole from "./c.js";
        export { one, default as again } from "./b.js";
        export { uno, odd };
        export const x = 1, { y, z: [w = 5, ...rest] } = { y: 2, z: [undefined, 3, 4] };
        export function hoisted() { return { uno }; }
        export class K { static self = uno; }
        export let late; late = [def, b.one, \`\${uno}\`, typeof def, globalThis.effect];
        export default async function () { return uno; }
      `,
      "a/b.js": `export const one = 1; const n = 2; export { n as "a name" }; export default (1, 7);`,
      "a/c.js": `export const c = 3; export const x = "hidden by index's own"; export default "not passed on";`,
      "a/effect.js": `globalThis.effect = "done";`,
    };
    const node = await expectSame(files, `({ ...${SHAPE}, late: ns.late, hoisted: ns.hoisted(), K: ns.K.self, name: ns.default.name, value: await ns.default(), rest: ns.rest, w: ns.w, x: ns.x, odd: ns.odd, whole: Object.keys(ns.whole) })`); // prettier-ignore
    expect(node).toMatchObject({ late: [7, 1, "1", "number", "done"], name: "default" });
  });

  it("with live bindings, and with circles", async () => {
    const files = {
      "a/package.json": ESM,
      "a/index.js": `import { even } from "./b.js"; export let count = 0; export const add = () => ++count; export function odd(n) { return n !== 0 && even(n - 1); } export { seen } from "./b.js"; export const early = even(0);`, // prettier-ignore
      "a/b.js": `import { count, odd, add } from "./index.js"; export function even(n) { return n === 0 || odd(n - 1); } export const seen = () => [count, add(), count]; export const atStart = typeof odd;`,
    };
    expect(await expectSame(files, "[ns.odd(7), ns.odd(8), ns.seen(), ns.count, ns.early]")).toEqual([true, false, [0, 1, 1], 1, true]); // prettier-ignore
  });

  it("calls imported functions without this, also at the start of a line and as a tag", async () => {
    const files = {
      "a/package.json": ESM,
      "a/index.js": `import { self, tag as t } from "./b.js"\nimport * as all from "./b.js"\nconst x = 1\nself()\nexport const r = [self() === undefined, t\`a\${x}b\`, all.self() === all, new (class extends t.K { })().k, { self }.self === self]\nfor (const self of [2]) r.push(self)\n`, // prettier-ignore
      "a/b.js": `export function self() { return this } export const tag = (s, ...v) => [s.raw, v]; tag.K = class { k = 4 }`,
    };
    await expectSame(files, "ns.r");
  });

  it("names what has no name, in every kind of default", async () => {
    for (const value of [
      "() => 1",
      "class {}",
      "function () {}",
      "(function () {})",
      "{ a: 1 }.a",
      "async () => {}",
      "[1]",
      "1 // end",
      "(0, () => 1);",
    ]) {
      await expectSame({ "a/package.json": ESM, "a/index.js": `export default ${value}` }, "[ns.default?.name, typeof ns.default]"); // prettier-ignore
    }
  });

  it("imports later what is imported later", async () => {
    const files = {
      "a/package.json": ESM,
      "a/index.js": `export const later = async () => (await import("./b.js")).default;`,
      "a/b.js": "globalThis.ran = true; export default 3;",
    };
    expect(await expectSame(files, "[globalThis.ran === true, await ns.later(), globalThis.ran]")).toEqual([
      false,
      3,
      true,
    ]);
  });

  it("throws what a module threw, each time", async () => {
    const files = { "a/package.json": ESM, "a/index.js": `export const later = () => import("./b.js");`, "a/b.js": `throw new Error("no " + (globalThis.n = (globalThis.n ?? 0) + 1));` }; // prettier-ignore
    expect(await expectSame(files, "[await ns.later().catch(e => e.message), await ns.later().catch(e => e.message)]")).toEqual(["no 1", "no 1"]); // prettier-ignore
  });
});

describe("a bundle of CommonJS is what Node gives", () => {
  it("with the names that Node finds, and those passed on", async () => {
    const files = {
      "a/index.js": `exports.one = 1; exports.two = function () { return this === exports }; module.exports.three = require("./b").n; Object.assign(exports, { hidden: 1 });`,
      "a/b/index.js": `module.exports = { n: 3 }`,
      "c/index.js": `"use strict"; Object.defineProperty(exports, "__esModule", { value: true }); exports.default = 1; exports.x = 2; __exportStar(require("./d"), exports); function __exportStar(m, e) { for (const k in m) if (k !== "default") e[k] = m[k] }`, // prettier-ignore
      "c/d.js": `exports.d = 4; exports.default = 5;`,
    };
    await expectSame(files, `({ ...${SHAPE}, two: ns.default.two(), all: ns.default })`);
    await expectSame(files, `({ ...${SHAPE}, d: ns.d, default: ns.default })`, "c");
  });

  it("from a module of ECMAScript, and the other way round", async () => {
    const files = {
      "a/package.json": '{"type":"module","dependencies":{}}',
      "a/index.js": `import cjs, { named } from "c"; import * as all from "c"; export { cjs, named }; export const keys = Object.keys(all);`,
      "c/index.js": `const esm = require("e"); exports.named = [esm.default, esm.__esModule, esm.x]; exports.cut = require("f");`,
      "e/package.json": ESM,
      "e/index.js": "export default 1; export const x = 2;",
      "f/package.json": ESM,
      "f/index.js": `const f = 9; export { f as "module.exports" };`,
    };
    expect(await expectSame(files, "[ns.named, ns.keys, ns.cjs]")).toMatchObject([
      [1, true, 2],
      expect.arrayContaining(["cut", "default", "named"]),
      { cut: 9 },
    ]);
  });

  it("with circles, JSON, a folder's main, and what is not there", async () => {
    const files = {
      "a/package.json": '{"main":"./lib"}',
      "a/lib/index.js": `exports.early = 1; exports.b = require("./b"); exports.json = require("../data"); exports.sub = require("../sub"); try { require("nothing") } catch (e) { exports.code = e.code } exports.top = this === exports; return; nonsense()`, // prettier-ignore
      "a/lib/b.js": `module.exports = Object.keys(require("./index"))`,
      "a/data.json": '{"x":[1]}',
      "a/sub/package.json": '{"main":"main.js"}',
      "a/sub/main.js": `module.exports = "sub"`,
    };
    expect(await expectSame(files, "ns.default")).toMatchObject({ early: 1, b: ["early"], code: "MODULE_NOT_FOUND" });
  });

  it("whose syntax says that it is none", async () => {
    await expectSame({ "a/index.js": "export const x = 1; export default 2" }, SHAPE);
    await expectSame({ "a/package.json": '{"exports":"./i.mjs"}', "a/i.mjs": "export const x = 1" }, SHAPE);
  });

  it("keeps what comments and lines mean when it takes them out", async () => {
    const source = `#!/usr/bin/env node
// a comment
const a = 1 /* b */ + /* c */ +1
const re = /\\/\\*[/]/g, s = "// no comment", t = \`/* \${ 1 /* x */ } */ // \`
let i = 0
i
++
i
const f = () => { return /* line
*/ 1 }
const g = (x) => x
;[1].forEach(g)
let h = 3, k = 5
exports.cmp = [h < !--k, h-- > k, h ? .5 : 1, h * +k, h = /=/.source]
exports.out = [a, re.source, s, t, i, f() === undefined, typeof typeof 1, a - -1, a - --i, void 0 === undefined]`;
    await expectSame({ "a/index.js": source }, "[ns.out, ns.cmp]");
  });
});

describe("finding modules is as in Node", () => {
  it("by exports, conditions, patterns, imports and its own name", async () => {
    const files = {
      "a/package.json": JSON.stringify({ name: "a", exports: { ".": { require: "./r.cjs", node: "./n.mjs", default: "./d.mjs" }, "./sub/*": "./s/*.mjs" }, imports: { "#in": "./in.mjs", "#c": "c" } }), // prettier-ignore
      "a/n.mjs": `export { default as i } from "#in"; export { default as c } from "#c"; export { default as own } from "a/sub/x"; export const n = 1;`,
      "a/in.mjs": "export default 'in'",
      "a/s/x.mjs": "export default 'x'",
      "c/index.js": "module.exports = 'outer c'",
      "a/node_modules/c/index.js": "module.exports = 'inner c'",
    };
    expect(await expectSame(files, "({ ...ns })")).toEqual({ c: "inner c", i: "in", n: 1, own: "x" });
    expect(await expectSame(files, "ns.default", "a/sub/x")).toBe("x");
  });

  const CONDITION = '{"type":"module","exports":{"browser":"./b.js","default":"./n.js"}}';
  const random = { "a/package.json": CONDITION, "a/n.js": `import { randomFillSync } from "node:crypto"; export const x = () => Buffer.from(randomFillSync(new Uint8Array(1)))` }; // prettier-ignore

  it("takes a build for browsers where Node's needs nothing but randomness and bytes", () => {
    expect(bundle({ ...random, "a/b.js": "export const x = 1" })).toContain("const x=1");
    expect(bundle({ ...random, "a/b.js": "export const x = typeof self" })).toContain("typeof self");
  });

  it.each<[string, Files]>([
    ["needs a browser", { ...random, "a/b.js": "export const x = self.x" }],
    ["needs the same", { ...random, "a/b.js": `import "crypto"; export const x = 1` }],
    ["lacks a name", { ...random, "a/b.js": "export const y = 1; export default 2" }],
    ["lacks a name that was passed on", { ...random, "a/n.js": `import "crypto"; export * from "./x.js"`, "a/x.js": "export const x = 1", "a/b.js": "export const y = 1" }], // prettier-ignore
    ["stands in for files", { ...random, "a/n.js": `import "crypto"; import "node:fs"; export const x = 1`, "a/b.js": "export const x = 1" }], // prettier-ignore
  ])("takes none that %s", (_, files) => {
    expect(() => bundle(files)).toThrow(/n\.js (needs Node's own module|uses Buffer)/);
  });

  it.each([
    ["nothing in the place of a part of Node", { "a/package.json": '{"browser":{"crypto":false}}' }],
    ["something in its place", { "a/package.json": '{"browser":{"crypto":"./b.js"}}' }],
    ["another main file", { "a/package.json": '{"browser":"./b.js"}' }],
    ["another file", { "a/package.json": '{"browser":{"./index.js":"./b.js"}}' }],
  ])("takes no stopgap of the older field: %s", (_, files) => {
    const all = { ...files, "a/index.js": `require("crypto"); exports.x = 1`, "a/b.js": "exports.x = 1" };
    expect(() => bundle(all)).toThrow(/index\.js needs Node's own module crypto/);
  });

  it("counts a part of Node as needed also where a package can do without", () => {
    for (const source of [
      `try { exports.x = require("crypto") } catch { exports.x = 0 }`,
      `exports.x = typeof require === "undefined" ? 0 : require("node:util").inspect`,
      `exports.x = () => import("fs").catch(() => 0)`,
    ]) {
      expect(() => bundle({ "a/index.js": source })).toThrow(/index\.js needs Node's own module/);
    }
  });
});

describe("there is no bundle, and one sentence says why,", () => {
  it.each<[string, Files, RegExp]>([
    ["of a part of Node", { "a/index.js": `require("fs")` }, /a\/index\.js needs Node's own module fs/],
    ["of Node's globals", { "a/index.js": "exports.x = () => process.cwd()" }, /uses process/],
    [
      "of more than random bytes",
      { "a/index.js": "exports.x = () => globalThis.crypto.subtle.digest" },
      /crypto\.subtle/,
    ],
    ["of what Node has of the web", { "a/index.js": "exports.x = () => new Headers()" }, /uses Headers/],
    ["of what is not there", { "a/package.json": ESM, "a/index.js": `import "b"` }, /imports "b"/],
    ["of a name that is not there", { "a/package.json": ESM, "a/index.js": `import { y } from "./b.js"`, "a/b.js": "export const x = 1" }, /imports y from/], // prettier-ignore
    ["of await at the top", { "a/package.json": ESM, "a/index.js": "await 1" }, /top level/],
    ["of import.meta", { "a/package.json": ESM, "a/index.js": "import.meta.url" }, /import\.meta/],
    [
      "of a computed import",
      { "a/package.json": ESM, "a/index.js": "export default (x) => import(x)" },
      /computed name/,
    ],
    ["of syntax", { "a/index.js": "let let = 1" }, /cannot be read/],
    [
      "of another kind of file",
      { "a/package.json": '{"main":"a.wasm"}', "a/a.wasm": "" },
      /not a module of JavaScript/,
    ],
    ["of its absence", {}, /not among the packages/],
  ])("because %s", (_, files, why) => {
    expect(() => bundle(files)).toThrow(why);
  });

  it("because of its size, at the edge [packages-bundled-same]", () => {
    const files = { "a/index.js": "module.exports = 1" };
    const bytes = Buffer.byteLength(bundle(files));
    expect(bundle(files, "a", bytes)).toHaveLength(bytes);
    expect(() => bundle(files, "a", bytes - 1)).toThrow(/larger than/);
  });

  it.each(["../../../../../../../../etc/passwd", "/etc/passwd", "./../../../x.js", "c/../../../../../etc/passwd"])(
    "and no file outside of the layer is read for %j",
    (specifier) => {
      expect(() => bundle({ "a/package.json": ESM, "a/index.js": `import ${JSON.stringify(specifier)}` })).toThrow(/not among the packages/); // prettier-ignore
      expect(() => bundle({ "a/package.json": JSON.stringify({ main: join("../../..", specifier) }) })).toThrow(
        /not among/,
      );
    },
  );

  it("but what it asks typeof about it may lack, and the name of its environment is none", async () => {
    const source = `exports.x = [typeof process === "undefined" ? 0 : process.pid > 0 ? 0 : 1, typeof Buffer, process.env.NODE_ENV !== "production"]`;
    const context = createContext({});
    expect(runInContext(`(${bundle({ "a/index.js": source })}).a().x`, context)).toEqual([0, "undefined", true]);
  });
});
