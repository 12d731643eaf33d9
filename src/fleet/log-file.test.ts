import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { hideValues } from "../core/redact.ts";
import { SILENT } from "../core/source.ts";
import { createLogFile, logPath } from "./log-file.ts";
import { createLogRing } from "./log-ring.ts";

const plain = (text: string) => text;

it("keeps the last lines, within its bounds", () => {
  const ring = createLogRing({ lines: 3, chars: 1_000 }, () => 0, plain);
  for (let n = 0; n < 10; n++) ring.add("stderr", `line ${n}`);
  expect(ring.lines().map(({ text }) => text)).toEqual(["line 7", "line 8", "line 9"]);
  const narrow = createLogRing({ lines: 100, chars: 10 }, () => 0, plain);
  for (const text of ["12345", "67890", "x"]) narrow.add("stderr", text);
  expect(narrow.lines().map(({ text }) => text)).toEqual(["67890", "x"]);
});

it("shows no secrets", () => {
  const ring = createLogRing({ lines: 3, chars: 1_000 }, () => 0, hideValues(["sesame-open"]));
  ring.add("stderr", "the key is sesame-open, see");
  expect(ring.lines()[0]?.text).toBe("the key is ***, see");
});

it("gives each line once as new, also when it has dropped some", () => {
  const ring = createLogRing({ lines: 3, chars: 1_000 }, () => 0, plain);
  const fresh = () => ring.fresh().map(({ text }) => text);
  ring.add("stderr", "a");
  expect(fresh()).toEqual(["a"]);
  expect(fresh()).toEqual([]);
  for (let n = 0; n < 7; n++) ring.add("stderr", `${n}`);
  expect(fresh()).toEqual(["4", "5", "6"]);
  ring.add("stderr", "b");
  expect(fresh()).toEqual(["b"]);
});

it("writes to a file that stays small, and keeps the one before", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "fleet-log-"));
  try {
    const file = logPath(folder, "a/b");
    const ring = createLogRing({ lines: 100, chars: 10_000 }, () => 0, plain);
    const log = createLogFile(file, { fresh: () => ring.fresh(), maxBytes: 150, log: SILENT });
    for (const text of ["first", "second", "third"]) {
      ring.add("stderr", text);
      await log.flush();
    }
    expect(await readFile(file, "utf8")).toContain("third");
    expect(await readFile(`${file}.1`, "utf8")).toContain("first");
    expect(await readFile(file, "utf8")).not.toContain("first");
  } finally {
    await rm(folder, { recursive: true });
  }
});
