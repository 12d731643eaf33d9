import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ROOT } from "./project-files.ts";

describe("npm start", () => {
  it("serves over HTTP, says where, and ends gracefully [house-start]", { timeout: 60_000 }, async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), "dynamic-mcp start "));
    const child = spawn(
      process.execPath,
      [path.join(ROOT, "scripts/with-node.mjs"), "start", "--port", "0", "--data-dir", dataDir],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    onTestFinished(() => {
      child.kill("SIGKILL");
      rmSync(dataDir, { recursive: true, force: true });
    });
    const said = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said.out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said.err += text));

    await expect.poll(() => said.err, { timeout: 50_000 }).toMatch(/http:\/\/127\.0\.0\.1:\d+\/mcp/);
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said.err)?.[0] ?? "";
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);

    child.kill("SIGTERM");
    const [code] = await once(child, "close");
    expect({ code, out: said.out }).toEqual({ code: 0, out: "" });
  });
});
