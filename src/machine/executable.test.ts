import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { batchCommand, findExecutable } from "./executable.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe.skipIf(process.platform === "win32")("findExecutable", () => {
  it("finds the first program of that name that may be run, and no folder", () => {
    const root = mkdtempSync(path.join(tmpdir(), "executable-"));
    folders.push(root);
    for (const folder of ["a", "b", "c"]) mkdirSync(path.join(root, folder));
    mkdirSync(path.join(root, "a", "tool"));
    writeFileSync(path.join(root, "b", "tool"), "", { mode: 0o644 });
    writeFileSync(path.join(root, "c", "tool"), "");
    chmodSync(path.join(root, "c", "tool"), 0o755);
    const env = { PATH: ["a", "b", "c"].map((folder) => path.join(root, folder)).join(":") };
    expect(findExecutable("tool", env, undefined)).toBe(path.join(root, "c", "tool"));
    expect(findExecutable("./tool", env, path.join(root, "c"))).toBe(path.join(root, "c", "tool"));
    expect(findExecutable("./tool", env, path.join(root, "b"))).toBeUndefined();
    expect(findExecutable("other", env, undefined)).toBeUndefined();
  });
});

describe("batchCommand", () => {
  it("leaves nothing in an argument that the shell of Windows would act on", () => {
    const { command, args } = batchCommand(String.raw`C:\Program Files\npx.cmd`, ['a" & calc & "', "%PATH%", "b|c>d"]);
    expect(command).toBe("cmd.exe");
    expect(args.slice(0, 3)).toEqual(["/d", "/s", "/c"]);
    const line = (args[3] ?? "").slice(1, -1);
    // What the first reading leaves is read once more by the batch file: both find each of them behind a caret.
    const unescape = (text: string) => text.replaceAll(/\^(.)/g, "$1");
    const live = (text: string) => text.replaceAll(/\^./g, "").match(/[&|<>%"]/g);
    expect(live(line)).toBeNull();
    expect(live(unescape(line).slice("C:\\Program Files\\npx.cmd ".length))).toBeNull();
  });
});
