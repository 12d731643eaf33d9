import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { makePipe } from "../cli/fixtures/pipe.ts";
import { interpolate, type Surroundings } from "./interpolate.ts";

const folder = mkdtempSync(join(tmpdir(), "interpolate-"));
afterAll(() => rmSync(folder, { recursive: true }));
const around: Surroundings = {
  env: { TOKEN: "abc", EMPTY: "", Mixed: "m" },
  folder,
  homeDir: folder,
  platform: "linux",
};
const textOf = (text: string, more: Partial<Surroundings> = {}) => interpolate(text, { ...around, ...more });

describe("interpolate", () => {
  it.each([
    ["${TOKEN}", "abc"],
    ["Bearer ${env:TOKEN}!", "Bearer abc!"],
    ["${NONE:-x}", "x"],
    ["${env:NONE:-}", ""],
    ["${EMPTY:-x}", "x"],
    ["${EMPTY}", ""],
    ["${NONE:-${TOKEN}/${ALSO_NONE:-y}}", "abc/y"],
    ["${TOKEN}${TOKEN}", "abcabc"],
    ["$${TOKEN}", "${TOKEN}"],
    ["pa$$word $TOKEN $1 ${1} ${ ${} ${a b} 5$", "pa$$word $TOKEN $1 ${1} ${ ${} ${a b} 5$"],
    ["${unclosed", "${unclosed"],
    ["${NONE:-http://h:1/}", "http://h:1/"],
  ])("makes %j %j", (text, made) => {
    expect(textOf(text)).toMatchObject({ text: made });
  });

  it("names what is not set, once and without guessing", () => {
    expect(textOf("a ${GITHUB_TOKEN}")).toEqual({ problem: "the variable GITHUB_TOKEN is not set" });
    expect(textOf("${constructor}")).toEqual({ problem: "the variable constructor is not set" });
    expect(textOf("${workspaceFolder}/x")).toMatchObject({ problem: expect.stringContaining("known to editors only") });
    expect(textOf("${input:token}")).toMatchObject({ problem: expect.stringContaining("${input:token} is not understood") }); // prettier-ignore
  });

  it("has names without case on Windows only", () => {
    expect(textOf("${MIXED}")).toHaveProperty("problem");
    expect(textOf("${MIXED}", { platform: "win32" })).toMatchObject({ text: "m" });
  });

  it("reads small files without their line end, from the folder of the definition", () => {
    writeFileSync(join(folder, "token.txt"), "s3cret\n");
    writeFileSync(join(folder, "most"), "x".repeat(65_536));
    writeFileSync(join(folder, "over"), "x".repeat(65_537));
    expect(textOf("${file:token.txt}")).toEqual({ text: "s3cret", taken: [{ from: "file:token.txt", value: "s3cret" }] }); // prettier-ignore
    expect(textOf("${file:~/token.txt}")).toMatchObject({ text: "s3cret" });
    expect(textOf("${file:none:-x}")).toMatchObject({ text: "x" });
    expect(textOf("${file:most}")).toHaveProperty("text");
    expect(textOf("${file:over}")).toMatchObject({ problem: expect.stringContaining("larger than 65536") });
    expect(textOf("${file:none}")).toMatchObject({ problem: expect.stringContaining("there is no file") });
    expect(textOf("${file:.}")).toMatchObject({ problem: expect.stringContaining("is not a file") });
  });

  it.skipIf(process.platform === "win32")("never waits for a pipe", () => {
    makePipe(join(folder, "pipe"));
    expect(textOf("${file:pipe}")).toMatchObject({ problem: expect.stringContaining("is not a file") });
  });

  it("takes time in proportion to the text, whatever is in it", () => {
    const started = performance.now();
    expect(textOf(`${"${A:-".repeat(20_000)}${"}".repeat(20_000)}`)).toMatchObject({ problem: expect.stringContaining("nested") }); // prettier-ignore
    expect(textOf("${".repeat(50_000))).toHaveProperty("text");
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
