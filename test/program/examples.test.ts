import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { programFile, ROOT } from "../support/program.ts";

const run = promisify(execFile);
let home = "";
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "dmcp-examples-"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe("the example packs", () => {
  it("are all tried here", async () => {
    expect(await readdir(path.join(ROOT, "examples/packs"))).toEqual(["notes.ts"]);
  });

  it("notes: keeps a note, and refuses what does not fit its schema", async () => {
    const pack = path.join(ROOT, "examples/packs/notes.ts");
    const call = (args: object) =>
      run(
        process.execPath,
        [programFile(), "call", "notes_add", "--args", JSON.stringify(args), "--pack", pack, "--data-dir", home],
        { cwd: home, env: { PATH: process.env["PATH"] ?? "", HOME: home } },
      );
    expect(JSON.parse((await call({ name: "first", text: "naïve 👍" })).stdout)).toEqual({ notes: 2 });
    await expect(call({ name: "First!", text: "x" })).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining("/name"),
    });
  });
});
