import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Json } from "../core/json.ts";
import type { ExecutionEngine } from "./engine.ts";
import { makeLayer, PACKAGES } from "./fixtures/layer.ts";
import { done, failed, runBody } from "./fixtures/run-body.ts";

/** Gives what a socket said first, or throws. */
const CONNECT =
  "const net = require('net'); return new Promise((resolve, reject) => { const s = net.connect(args.to); " +
  "s.on('connect', () => { s.destroy(); resolve('connected') }); s.on('error', reject); s.setTimeout(500, () => { s.destroy(); reject(new Error('nothing came')) }) })";
/** All that can be read of the processes that it sees. */
const LOOK_AT_PROCESSES =
  "const fs = require('fs'); let seen = ''; let all = []; try { all = fs.readdirSync('/proc') } catch {} for (const p of all) if (Number(p) > 0) for (const f of ['cmdline', 'environ', 'cwd', 'root']) " +
  "try { seen += f === 'cwd' || f === 'root' ? fs.readlinkSync('/proc/' + p + '/' + f) : fs.readFileSync('/proc/' + p + '/' + f, 'utf8') } catch {} return seen";

/** The same code as a plain program, to show that it would work without the sandbox. */
async function outside(code: string, args: Json): Promise<unknown> {
  const program = `(async (args) => { ${code} })(${JSON.stringify(args)}).then((r) => process.stdout.write(JSON.stringify(r)), () => process.exit(1))`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", program], { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout);
}

/** What lies around a sandbox: each attempt works outside of it and fails inside. */
export function describeReachingOut(engine: () => ExecutionEngine): void {
  describe("reaching out of it", () => {
    let folder = "";
    const servers: Server[] = [];
    const listen = async (where: string | number): Promise<Server> => {
      const server = createServer((socket) => socket.on("error", () => {}).end("hello"));
      await new Promise<void>((resolve) => (typeof where === "number" ? server.listen(where, "127.0.0.1", resolve) : server.listen(where, resolve))); // prettier-ignore
      servers.push(server);
      return server;
    };
    let port = 0;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "dynamic-mcp-reach-"));
      port = ((await listen(0)).address() as { port: number }).port;
      await listen(join(folder, "unix"));
      if (process.platform === "linux") await listen(`\0dynamic-mcp-${process.pid}`);
      writeFileSync(join(folder, "secret"), "of the host");
    });
    afterAll(async () => {
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      rmSync(folder, { recursive: true });
    });

    const attempts: [string, () => Json][] = [
      ["the server's loopback", () => ({ host: "127.0.0.1", port })],
      ["a Unix socket in a folder", () => ({ path: join(folder, "unix") })],
      ["an abstract Unix socket", () => ({ path: `\0dynamic-mcp-${process.pid}` })],
    ];
    if (existsSync("/var/run/docker.sock")) attempts.push(["the Docker socket", () => ({ path: "/var/run/docker.sock" })]); // prettier-ignore
    it.each(attempts)("%s", async (_, where) => {
      const args = { to: where() };
      expect(await outside(CONNECT, args)).toBe("connected");
      expect(failed(await runBody(engine(), CONNECT, { args }))).toMatchObject({ code: "CODE_THREW" });
    });

    it.each([
      ["the metadata address", { host: "169.254.169.254", port: 80 }],
      ["the metadata address in IPv6", { host: "fd00:ec2::254", port: 80 }],
      ["an address of the Internet", { host: "1.1.1.1", port: 53 }],
      ["a name", { host: "localhost.localdomain", port: 80 }],
    ])("%s", async (_, to) => {
      expect(failed(await runBody(engine(), CONNECT, { args: { to } }))).toMatchObject({ code: "CODE_THREW" });
    });

    it("other processes and what they were told", async () => {
      expect(await outside(LOOK_AT_PROCESSES, {})).toContain("vitest");
      const seen = JSON.parse(done(await runBody(engine(), LOOK_AT_PROCESSES)).resultJson) as string;
      expect(seen).not.toContain("vitest");
      expect(seen).not.toContain(process.cwd());
    });

    it("files by way of other processes", async () => {
      const code =
        "const fs = require('fs'); const found = []; for (const p of ['1', 'self', String(process.ppid)]) for (const way of ['root', 'cwd', 'root/..']) " +
        "try { found.push(fs.readFileSync('/proc/' + p + '/' + way + args.file, 'utf8')) } catch {} return found";
      const args = { file: join(folder, "secret") };
      expect(await outside(code, args)).toContain("of the host");
      expect(JSON.parse(done(await runBody(engine(), code, { args })).resultJson)).toEqual([]);
    });

    it("files by symlinks that a package brings", async () => {
      const layer = makeLayer(PACKAGES, "with-symlinks");
      try {
        symlinkSync(join(folder, "secret"), join(layer.folder, "node_modules/old/absolute"));
        symlinkSync(folder, join(layer.folder, "node_modules/folder"));
        const up = "../".repeat(30);
        symlinkSync(`${up}${join(folder, "secret")}`, join(layer.folder, "node_modules/old/relative"));
        const code =
          "const fs = require('fs'); const found = []; for (const f of ['/old/absolute', '/old/relative', '/folder/secret']) " +
          "try { found.push(fs.readFileSync(args.modules + f, 'utf8')) } catch {} return found";
        const modules = join(layer.folder, "node_modules");
        expect(await outside(code, { modules })).toEqual(Array(3).fill("of the host"));
        const end = await runBody(engine(), code, { args: { modules: "/node_modules" }, layer });
        // An engine may refuse such a layer as a whole.
        if (end.state === "done") expect(JSON.parse(end.resultJson)).toEqual([]);
      } finally {
        layer.remove();
      }
    });

    it("files by symlinks that it makes", async () => {
      const code =
        "const fs = require('fs'); try { fs.symlinkSync(args.file, '/tmp/link') } catch {} " +
        "try { fs.linkSync(args.file, '/tmp/hard') } catch {} " +
        "const found = []; for (const f of ['link', 'hard']) try { found.push(fs.readFileSync('/tmp/' + f, 'utf8')) } catch {} return found";
      expect(JSON.parse(done(await runBody(engine(), code, { args: { file: join(folder, "secret") } })).resultJson)).toEqual([]); // prettier-ignore
    });
  });
}
