import { describe, expect, it } from "vitest";
import { createLog, type LogLevelName } from "./log.ts";

function logAt(level: LogLevelName) {
  const lines: Record<string, unknown>[] = [];
  const log = createLog(level, (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
  return { log, lines };
}

describe("our log", () => {
  it("has written all of it after a flush, in order, from its level on", async () => {
    const { log, lines } = logAt("warn");
    await log.flush();
    log.error({ what: "store" }, "first");
    log.info({}, "too quiet");
    log.warn({}, "second");
    await log.flush();
    log.error({}, "third");
    expect(lines).toMatchObject([
      { level: "error", what: "store", msg: "first" },
      { level: "warn", msg: "second" },
      { level: "error", msg: "third" },
    ]);
  });

  it("loses nothing and fells nobody when pino cannot be loaded for a moment", async () => {
    const lines: string[] = [];
    let isThere = false;
    const importPino = () => (isThere ? import("pino") : Promise.reject(new Error("EMFILE")));
    const log = createLog("info", (line) => lines.push(line), { importPino });
    log.error({}, "first");
    await log.flush();
    isThere = true;
    log.error({}, "second");
    await log.flush();
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(["first", "second"]);
  });

  it("says nothing when it is silent", async () => {
    const { log, lines } = logAt("silent");
    log.error({}, "x");
    await log.flush();
    expect(lines).toEqual([]);
  });

  it("hides secrets, also in the words of errors and of their causes", async () => {
    const { log, lines } = logAt("error");
    const cause = new Error("got 401 for Bearer abcdefghijkl");
    log.error({ adminToken: "t0p", err: new Error("Basic YWxhZGRpbjpvcGVu refused", { cause }) }, "failed");
    await log.flush();
    expect(JSON.stringify(lines)).not.toMatch(/t0p|abcdefghijkl|YWxhZGRpbjpvcGVu/);
    expect(lines).toMatchObject([
      { adminToken: "***", err: { message: "Basic *** refused", cause: { name: "Error" } } },
    ]);
  });

  it("ends with an error that is its own cause", async () => {
    const { log, lines } = logAt("error");
    const error = new Error("round");
    error.cause = error;
    log.error({ err: error }, "failed");
    await log.flush();
    expect(lines).toHaveLength(1);
  });
});
