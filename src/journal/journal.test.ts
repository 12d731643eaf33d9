import { mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { CallRecord } from "../core/call.ts";
import { SILENT } from "../core/source.ts";
import { createAuditFile } from "./audit-file.ts";
import { createJournal } from "./create-journal.ts";

const record = (id: string, more: Partial<CallRecord> = {}): CallRecord => ({
  id,
  at: "2026-01-01T00:00:00.000Z",
  requestId: "r",
  principal: "local",
  kind: "tool",
  name: "echo",
  outcome: "done",
  durationMs: 1,
  ...more,
});

describe("the journal", () => {
  it("hands records over in order, in batches, and flushes what is left at its close", async () => {
    const batches: string[][] = [];
    const journal = createJournal({
      sinks: [{ name: "memory", sink: { append: async (batch) => void batches.push(batch.map(({ id }) => id)) } }],
      log: SILENT,
      delayMs: 60_000,
    });
    journal.record(record("1"));
    journal.record(record("2"));
    await journal.flush();
    journal.record(record("3"));
    await journal.close();
    expect(batches).toEqual([["1", "2"], ["3"]]);
  });

  it("keeps records for a sink that fails, and does not let it harm another", async () => {
    let isBroken = true;
    const late: string[] = [];
    const other: string[] = [];
    const journal = createJournal({
      sinks: [
        {
          name: "broken",
          sink: {
            async append(batch) {
              if (isBroken) throw new Error("disk full");
              late.push(...batch.map(({ id }) => id));
            },
          },
        },
        { name: "other", sink: { append: async (batch) => void other.push(...batch.map(({ id }) => id)) } },
      ],
      log: SILENT,
      maxWaiting: 2,
    });
    for (const id of ["1", "2", "3"]) journal.record(record(id));
    await journal.flush();
    expect(other).toEqual(["1", "2", "3"]);
    isBroken = false;
    await journal.close();
    expect(late).toEqual(["2", "3"]); // the oldest gave way to the bound
  });
});

describe("the audit file", () => {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
  });
  async function auditIn(options: { maxEventBytes?: number; maxFileBytes?: number; maxFiles?: number } = {}) {
    const folder = await mkdtemp(join(tmpdir(), "audit-"));
    folders.push(folder);
    const file = join(folder, "deep", "audit.log");
    return {
      file,
      folder: join(folder, "deep"),
      audit: createAuditFile({ file, maxEventBytes: 2_000, maxFileBytes: 1e6, maxFiles: 2, ...options }),
    };
  }

  it("holds one JSON object a line, readable by its owner only", async () => {
    const { file, audit } = await auditIn();
    await audit.append([record("1"), record("2", { outcome: "denied", code: "FORBIDDEN" })]);
    await audit.close?.();
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as CallRecord)).toMatchObject([{ id: "1" }, { code: "FORBIDDEN" }]);
    if (process.platform !== "win32") expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("moves on at its size and keeps as many old files as told", async () => {
    const { folder, audit } = await auditIn({ maxFileBytes: 100 });
    for (const id of ["1", "2", "3", "4"]) await audit.append([record(id)]);
    await audit.close?.();
    expect((await readdir(folder)).toSorted()).toEqual(["audit.log.1", "audit.log.2"]);
    expect(await readFile(join(folder, "audit.log.1"), "utf8")).toContain('"id":"4"');
  });

  it("keeps each record once where the full file cannot be put aside", async () => {
    const { file, folder, audit } = await auditIn({ maxFileBytes: 100 });
    await mkdir(join(folder, "audit.log.1", "in the way"), { recursive: true });
    const warned: string[] = [];
    const log = { ...SILENT, warn: (_: object, message: string) => void warned.push(message) };
    const stuck = createAuditFile({ file, maxEventBytes: 2_000, maxFileBytes: 100, maxFiles: 1, log });
    const journal = createJournal({ sinks: [{ name: "audit", sink: stuck }], log: SILENT });
    for (const id of ["1", "2", "3"]) {
      journal.record(record(id));
      await journal.flush();
    }
    await journal.close();
    await audit.close?.();
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as CallRecord).id)).toEqual(["1", "2", "3"]);
    expect(warned).toHaveLength(1);
  });

  it("drops the details of an event that is too long, and says so", async () => {
    const { file, audit } = await auditIn({ maxEventBytes: 300 });
    await audit.append([record("1", { logs: ["x".repeat(1_000)] })]);
    await audit.close?.();
    const kept = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
    expect(kept).toMatchObject({ id: "1", truncated: true });
    expect(kept).not.toHaveProperty("logs");
  });

  it("goes on in a new file when another process moved the old one away", async () => {
    const { file, folder, audit } = await auditIn({ maxFileBytes: 300 });
    const other = createAuditFile({ file, maxEventBytes: 2_000, maxFileBytes: 300, maxFiles: 2 });
    await audit.append([record("1")]);
    await other.append([record("2")]); // past the size: moves the file
    await audit.append([record("3")]);
    await audit.append([record("4")]);
    await Promise.all([audit.close?.(), other.close?.()]);
    const all = await Promise.all((await readdir(folder)).map((each) => readFile(join(folder, each), "utf8")));
    expect(
      all
        .join("")
        .match(/"id":"\d"/g)
        ?.toSorted(),
    ).toEqual(['"id":"1"', '"id":"2"', '"id":"3"', '"id":"4"']);
  });
});
