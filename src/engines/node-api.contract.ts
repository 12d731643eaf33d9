import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ExecutionEngine, Layer } from "./engine.ts";
import { makeLayer, PACKAGES } from "./fixtures/layer.ts";
import { done, failed, runBody, type RunOptions } from "./fixtures/run-body.ts";

/** What an engine with the Node API promises beside the portable profile. */
export function describeNodeApi(engine: () => ExecutionEngine): void {
  const result = async (code: string, options: RunOptions = {}): Promise<unknown> =>
    JSON.parse(done(await runBody(engine(), code, options)).resultJson);
  const failure = async (code: string, options: RunOptions = {}) => failed(await runBody(engine(), code, options));

  describe("the Node API", () => {
    it.each([
      ["process", "return [typeof process.version, process.platform, process.cwd()]", ["string", "linux", "/"]],
      ["Buffer", "return Buffer.from('h\u00e9').toString('hex')", "68c3a9"],
      ["require", "return [require('node:path').join('a', 'b'), require('fs') === require('node:fs')]", ["a/b", true]],
      ["import", "const { join } = await import('node:path'); return join('a', 'b')", "a/b"],
      ["import in a function called later", "const f = async () => (await import('node:url')).URL === URL; await null; return f()", true], // prettier-ignore
      ["Intl", "return new Intl.NumberFormat('de').format(1234.5)", "1.234,5"],
      ["WebAssembly", "return typeof WebAssembly.instantiate", "function"],
      ["AbortController", "const c = new AbortController(); c.abort(); return c.signal.aborted", true],
      ["zlib in its threads", "const z = require('zlib'); return new Promise((r) => z.gzip('x', (e, b) => z.gunzip(b, (e, t) => r(String(t)))))", "x"], // prettier-ignore
      ["streams", "const { Readable } = require('stream'); const o = []; for await (const x of Readable.from([1, 2])) o.push(x); return o", [1, 2]], // prettier-ignore
      ["crypto.subtle", "return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from('a'))).toString('hex').slice(0, 8)", "ca978112"], // prettier-ignore
      ["one console for all", "return require('console').log === console.log", true],
      ["one clock for all", "return [Date() === String(new Date()), new Date(5) instanceof Date, typeof Date.UTC, new (class extends Date {})(7).getTime(), new Date(5).constructor === Date]", [true, true, "function", 7, true]], // prettier-ignore
    ])("has %s", async (_, code, expected) => {
      expect(await result(code)).toEqual(expected);
    });

    it("turns what libraries write to stdout and stderr into console lines, and keeps it out of the result", async () => {
      const code =
        "process.stdout.write('one\\ntw'); process.stdout.write('o\\n'); process.stderr.write('bad'); " +
        "console.log('three'); return process.stdout.isTTY";
      expect(done(await runBody(engine(), code))).toMatchObject({
        resultJson: "false",
        logs: [
          { level: "log", text: "one" },
          { level: "log", text: "two" },
          { level: "log", text: "three" },
          { level: "error", text: "bad" },
        ],
      });
    });

    it("goes on after errors that nobody catches, and shows them", async () => {
      const code =
        "setTimeout(() => { throw new Error('late') }, 1); Promise.reject(new Error('lost')); " +
        "require('events').prototype; new (require('events'))().on('x', () => {}); await new Promise((r) => setTimeout(r, 20)); return 1";
      const end = done(await runBody(engine(), code));
      expect(end.resultJson).toBe("1");
      expect(end.logs.map(({ level, text }) => `${level} ${text}`)).toEqual([
        "error Uncaught in a promise: Error: lost",
        "error Uncaught: Error: late",
      ]);
    });

    it.each([
      ["process.exit(3)", /process\.exit\(3\)/],
      ["process.exit()", /process\.exit\(\)/],
      ["process.abort()", /process\.abort\(\)/],
      ["process.reallyExit(7)", /7/],
      ["process.kill(process.pid, 'SIGKILL')", /SIGKILL|137/],
      ["setTimeout(() => process.exit(1), 1); await new Promise(() => {})", /process\.exit\(1\)/],
    ])("says what the code did when it ends by %s", async (code, said) => {
      const end = await failure(`console.log('before'); ${code}`);
      expect(end.code).toBe("PROCESS_EXITED");
      expect(end.message).toMatch(said);
      expect(done(await runBody(engine(), "return 1")).resultJson).toBe("1");
    });

    it("keeps what was logged before process.exit", async () => {
      expect((await failure("console.log('before'); process.exit(0)")).logs).toEqual([
        { level: "log", text: "before" },
      ]);
    });

    it("may write in /tmp, and finds nothing there of the job before", async () => {
      const code =
        "const fs = require('fs'); const before = fs.readdirSync('/tmp'); fs.writeFileSync('/tmp/mine', 'x'); " +
        "return [before, fs.readFileSync('/tmp/mine', 'utf8')]";
      for (let i = 0; i < 3; i++) expect(await result(code)).toEqual([[], "x"]);
    });
  });

  describe("packages", () => {
    let layer: Layer & { remove(): void };
    beforeAll(() => {
      layer = makeLayer(PACKAGES);
    });
    afterAll(() => layer.remove());

    it.each([
      ["CommonJS by require", "const old = require('old'); return [old.form, old.twice(2)]", ["CommonJS", 4]],
      ["CommonJS by import", "const { default: old, form } = await import('old'); return [form, old.twice(2)]", ["CommonJS", 4]], // prettier-ignore
      ["ESM by import", "const { default: f, form } = await import('new'); return [form, f(2)]", ["ESM", 5]],
      ["by condition", "return [require('@scope/both').by, (await import('@scope/both')).by]", ["require", "import"]],
      ["JSON in a package", "return require('@scope/both/part').part", 1],
    ])("are found: %s", async (_, code, expected) => {
      expect(await result(code, { layer })).toEqual(expected);
    });

    it("are only those of the job", async () => {
      expect(await failure("require('old')")).toMatchObject({ code: "CODE_THREW" });
      expect(await failure("await import('new')")).toMatchObject({ code: "CODE_THREW" });
      expect(await failure("require('none')", { layer })).toMatchObject({ code: "CODE_THREW" });
    });

    it("cannot be changed, and the folder around them is not seen", async () => {
      const code =
        "const fs = require('fs'); const fails = (f) => { try { f(); return false } catch { return true } }; " +
        "return [() => fs.writeFileSync('/node_modules/old/main.js', 'x'), () => fs.writeFileSync('/node_modules/y', 'x'), " +
        "() => fs.rmSync('/node_modules/old', { recursive: true }), () => fs.chmodSync('/node_modules/old/main.js', 0o777)].map(fails)";
      expect(await result(code, { layer })).toEqual([true, true, true, true]);
      expect(await result("return require('old').form", { layer })).toBe("CommonJS");
    });
  });

  describe("a world of its own", () => {
    it("without our environment", async () => {
      process.env["DYNAMIC_MCP_TEST_SECRET"] = "of the host";
      try {
        const env = (await result("return { ...process.env }")) as Record<string, string>;
        expect(JSON.stringify(env)).not.toContain("of the host");
        expect(env["HOME"]).not.toBe(process.env["HOME"]);
      } finally {
        delete process.env["DYNAMIC_MCP_TEST_SECRET"];
      }
    });

    it("without our files", async () => {
      const folder = mkdtempSync(join(tmpdir(), "dynamic-mcp-host-"));
      const file = join(folder, "secret");
      writeFileSync(file, "of the host");
      try {
        expect(await failure("return require('fs').readFileSync(args.file, 'utf8')", { args: { file } })).toMatchObject(
          {
            code: "CODE_THREW",
          },
        );
        const code = "try { return require('fs').readFileSync('/etc/shadow', 'utf8') } catch { return 'nothing' }";
        expect(await result(code)).toBe("nothing");
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });
}
