import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { Logger } from "../core/source.ts";
import { type FileWatch, watchConfigFile, type WatchFileOptions } from "./watch-file.ts";

const root = mkdtempSync(join(tmpdir(), "watch-file-"));
const open: FileWatch[] = [];
afterEach(() => open.splice(0).forEach((each) => each.close()));
afterAll(() => rmSync(root, { recursive: true }));

let made = 0;
const newFolder = () => {
  const folder = join(root, String((made += 1)));
  mkdirSync(folder);
  return folder;
};
const text = (url: string, more = "") => `{ ${more} "mcpServers": { "a": { "url": "${url}" } } }`;
const soon = { timeout: 5_000, interval: 10 };

function watchFile(file: string, folder: string, options: Partial<WatchFileOptions> = {}) {
  const found: unknown[] = [];
  const said: string[] = [];
  const say = (_: object, message: string) => void said.push(message);
  const log: Logger = { debug() {}, info: say, warn: say, error: say };
  const watch = watchConfigFile({
    initial: { file, folder, raw: { a: { url: "1" } }, places: new Map() },
    log,
    onServers: ({ raw }) => found.push(raw["a"] ?? null),
    settleMs: 10,
    pollMs: 3_600_000,
    ...options,
  });
  open.push(watch);
  return { watch, found, said };
}

function start(options: Partial<WatchFileOptions> = {}) {
  const folder = newFolder();
  const file = join(folder, "dynamic-mcp.json");
  writeFileSync(file, text("1"));
  return { folder, file, ...watchFile(file, folder, options) };
}

describe("watchConfigFile", () => {
  it("tells of a file that is written in place, and of one that is put in its place", async () => {
    const { folder, file, found, watch } = start();
    await watch.look();
    expect(found).toEqual([]);
    writeFileSync(file, text("2"));
    await expect.poll(() => found, soon).toEqual([{ url: "2" }]);
    for (const url of ["3", "4"]) {
      writeFileSync(join(folder, ".dynamic-mcp.json.swp"), text(url));
      renameSync(join(folder, ".dynamic-mcp.json.swp"), file);
      await expect.poll(() => found.at(-1), soon).toEqual({ url });
    }
  });

  it("tells once of several writes, and not at all of what says the same", async () => {
    const { file, found, watch } = start({ settleMs: 50 });
    await watch.look();
    for (const url of ["2", "3", "4"]) writeFileSync(file, text(url));
    await expect.poll(() => found, soon).toEqual([{ url: "4" }]);
    writeFileSync(file, `// a comment\n${text("4")}`);
    await watch.look();
    expect(found).toHaveLength(1);
  });

  it("keeps the last good one, and says once why [config-last-good]", async () => {
    const { file, found, said, watch } = start();
    await watch.look();
    writeFileSync(file, '{ "mcpServers": {');
    await expect.poll(() => said, soon).toEqual([expect.stringContaining("cannot be used")]);
    await watch.look();
    await watch.look();
    expect({ found, said: said.length }).toEqual({ found: [], said: 1 });
    writeFileSync(file, text("2"));
    await expect.poll(() => found, soon).toEqual([{ url: "2" }]);
  });

  it("keeps it when the file is deleted, and goes on when it is back", async () => {
    const { file, found, said, watch } = start();
    await watch.look();
    unlinkSync(file);
    await expect.poll(() => said, soon).toHaveLength(1);
    expect(found).toEqual([]);
    writeFileSync(file, text("2"));
    await expect.poll(() => found, soon).toEqual([{ url: "2" }]);
  });

  it.skipIf(process.platform === "win32")("follows the links of a Kubernetes volume", async () => {
    const folder = newFolder();
    const put = (version: string, url: string) => {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, "dynamic-mcp.json"), text(url));
      symlinkSync(version, join(folder, "..data_tmp"));
      renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    };
    put("..v1", "1");
    symlinkSync(join("..data", "dynamic-mcp.json"), join(folder, "dynamic-mcp.json"));
    const { found, watch } = watchFile(join(folder, "dynamic-mcp.json"), folder);
    await watch.look();
    for (const [version, url] of [["..v2", "2"], ["..v3", "3"]] as const) {
      put(version, url);
      await expect.poll(() => found.at(-1), soon).toEqual({ url });
    } // prettier-ignore
  });

  it("looks now and then where the system tells nothing", async () => {
    const folder = newFolder();
    const real = join(newFolder(), "real.json");
    writeFileSync(real, text("1"));
    const middle = join(newFolder(), "middle.json");
    symlinkSync(real, middle);
    const file = join(folder, "dynamic-mcp.json");
    symlinkSync(middle, file);
    const { found, watch } = watchFile(file, folder, { pollMs: 20 });
    await watch.look();
    // The folder of the link in the middle is not watched.
    const other = join(newFolder(), "other.json");
    writeFileSync(other, text("2"));
    unlinkSync(middle);
    symlinkSync(other, middle);
    await expect.poll(() => found, soon).toEqual([{ url: "2" }]);
  });

  it("says that settings count from the next start on", async () => {
    const { file, found, said, watch } = start();
    await watch.look();
    writeFileSync(file, text("1", '"settings": { "http": { "port": 1 } },'));
    await expect.poll(() => said, soon).toEqual([expect.stringContaining("from the next start on")]);
    expect(found).toEqual([]);
  });

  it("tells nothing once it is closed", async () => {
    const { file, found, watch } = start();
    await watch.look();
    watch.close();
    writeFileSync(file, text("2"));
    await watch.look();
    expect(found).toEqual([]);
  });
});
