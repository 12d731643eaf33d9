import { describe, expect, it } from "vitest";
import { compile, literalImports } from "./compile.ts";

const js = (code: string) => compile({ code, language: "js", name: "tool" });
const ts = (code: string) => compile({ code, language: "ts", name: "tool" });

describe("compile", () => {
  it("leaves JavaScript as it is, with a digest", async () => {
    const { program, needsNode } = await js("return await args.x;");
    expect(program).toMatchObject({ js: "return await args.x;", name: "tool" });
    expect(program.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(needsNode).toEqual([]);
  });

  it("blanks types and moves nothing, also beside characters outside of ASCII", async () => {
    const code =
      "const größe: Map<string, number> = new Map(); // 日本 🎉\ninterface X { y: 1 }\nreturn (größe as unknown)!;\n";
    const { program } = await ts(code);
    expect(program.js.split("\n")).toHaveLength(4);
    expect(program.js.indexOf("new Map()")).toBe(code.indexOf("new Map()"));
    expect(program.js.split("\n")[2]).toMatch(/^return \(größe {11}\) ;$/);
    expect(program.js).not.toContain("interface");
  });

  it("says nothing on stderr about stripping types", async () => {
    const heard: unknown[] = [];
    const listen = (warning: unknown) => heard.push(warning);
    process.on("warning", listen);
    await ts("const a: number = 1; return a");
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", listen);
    expect(heard).toEqual([]);
  });

  it.each([
    ["js", "const a = ;", 1, 11],
    ["js", "\n  let let = 1", 2, 7],
    ["js", "return `abc", 1, 9],
    ["js", "return 1 +", 1, 11],
    ["js", "if (a) {\n  b();", 2, 7],
    ["js", "const a = 1;\nconst a = 2", 2, 7],
    ["js", "x();\nconst args = {}", 2, 7],
    ["js", "import fs from 'node:fs'\nreturn fs", 1, 1],
    ["js", "return 1;\nexport const a = 1", 2, 1],
    ["js", "} evil(); async function x() {", 1, 1],
    ["js", "return 1;\n}\n{", 2, 1],
    ["js", "with (a) {}", 1, 1],
    ["js", "using a = b", 1, 1],
    ["js", "const a: number = 1", 1, 8],
    ["js", "return 1 +\n  /(a/.test(args.x)", 2, 3],
    ["ts", "const a: = 1", 1, 10],
    ["ts", "return 1;\n\n  enum Color { Red }", 3, 3],
    ["ts", "namespace N { export const a = 1 }", 1, 1],
    ["ts", "class A { constructor(private x: number) {} }", 1, 23],
    ["ts", "return <number>args", 1, 8],
    ["ts", "} evil(); async function x() {", 1, 1],
  ] as const)("refuses %s %j at %i:%i", async (language, code, line, column) => {
    await expect(compile({ code, language, name: "tool" })).rejects.toMatchObject({
      code: "INVALID_CODE",
      data: { line, column },
    });
  });

  it("refuses what is nested beyond reading", async () => {
    await expect(js(`return ${"(".repeat(90_000)}`)).rejects.toMatchObject({ code: "INVALID_CODE" });
  });

  it.each([
    ["process.exit()", ["process"]],
    ["const fs = require('fs'); return Buffer.from('')", ["Buffer", "require"]],
    ["return (await import('node:fs')).default", ['import("node:fs")']],
    ["return import(args.name)", ["import(...)"]],
    ["return new Intl.NumberFormat()", ["Intl"]],
    ["return { process: 1, a: args.process, Buffer() {} }", []],
    ["const { process, b: [Buffer] } = args; return process + Buffer", []],
    ["function f(require) { return require } return f(1)", []],
    ["try {} catch (process) { process.x }", []],
    ["return typeof Buffer === 'undefined' ? 1 : Buffer.from('')", []],
    ["process: for (;;) break process", []],
    ["return `${process.pid}`", ["process"]],
    ["return fetch('x')", []],
    ["return new URL('https://x').href + structuredClone(1) + setTimeout", []],
  ])("finds what %j needs", async (code, needs) => {
    expect((await js(code)).needsNode).toEqual(needs);
  });

  it("finds literal imports where they stand", async () => {
    const code =
      "const a = await import('a'); // import('no')\nreturn [`${import('b/c')}`, import(a), \"import('no')\"]";
    const found = await literalImports(code);
    expect(found.map(({ name }) => name)).toEqual(["a", "b/c"]);
    expect(found.map(({ at }) => code.slice(at, at + 10))).toEqual(["import('a'", "import('b/"]);
  });

  it("does not take types for uses", async () => {
    expect((await ts("let p: typeof process; let b: Buffer | undefined; return 1")).needsNode).toEqual([]);
  });
});
