import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runLine } from "./fixtures/command-line.ts";
import { makePipe } from "./fixtures/pipe.ts";
import { tools, UPPER } from "./fixtures/tools.ts";

describe.skipIf(process.platform === "win32")("files of tools in a folder that somebody else has filled", () => {
  let folder = "";
  const imported = () => runLine(["tools", "import", join(folder, "theirs")]);
  const refused = (hint: string) => ({ code: 2, err: expect.stringContaining(hint), called: [] });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "dmcp-files-"));
    await mkdir(join(folder, "theirs"));
    await writeFile(join(folder, "secret"), "secret");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("are not written through a link or a pipe", async () => {
    const target = join(folder, "theirs");
    await symlink(join(folder, "secret"), join(target, "text_upper.js"));
    makePipe(join(target, "text_upper.tool.json"));
    const ran = await runLine(["tools", "export", target], { answers: tools(UPPER) });
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(await readFile(join(folder, "secret"), "utf8")).toBe("secret");
    expect((await readdir(target)).toSorted()).toEqual(["text_upper.js", "text_upper.tool.json"]);
    expect(await readFile(join(target, "text_upper.js"), "utf8")).toBe(UPPER.code);
  });

  it("cannot be written where a folder is in the way, and leave nothing half done", async () => {
    const target = join(folder, "theirs");
    await mkdir(join(target, "text_upper.tool.json", "x"), { recursive: true });
    const ran = await runLine(["tools", "export", target], { answers: tools(UPPER) });
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining("cannot be written") });
    expect(await readdir(target)).toEqual(["text_upper.tool.json"]);
  });

  it("are not read from a pipe", async () => {
    makePipe(join(folder, "theirs", "x.tool.json"));
    expect(await imported()).toMatchObject(refused("not a regular file"));
    await rm(join(folder, "theirs", "x.tool.json"));
    await writeFile(join(folder, "theirs", "x.tool.json"), '{ "name": "x", "codeFile": "x.js" }');
    makePipe(join(folder, "theirs", "x.js"));
    expect(await imported()).toMatchObject(refused("not a regular file"));
  });

  it("are not read through a link that leads out of the folder", async () => {
    await symlink(join(folder, "secret"), join(folder, "theirs", "x.tool.json"));
    expect(await imported()).toMatchObject(refused("leads out of its folder"));
    await rm(join(folder, "theirs", "x.tool.json"));
    await writeFile(join(folder, "theirs", "x.tool.json"), '{ "name": "x", "codeFile": "x.js" }');
    await symlink(join(folder, "secret"), join(folder, "theirs", "x.js"));
    expect(await imported()).toMatchObject(refused("leads out of its folder"));
  });

  it("may be links within the folder, and the folder may be one", async () => {
    await writeFile(join(folder, "theirs", "x.tool.json"), '{ "name": "x", "codeFile": "x.js" }');
    await writeFile(join(folder, "theirs", "y.js"), "return 1");
    await symlink("y.js", join(folder, "theirs", "x.js"));
    await symlink("theirs", join(folder, "link"));
    const { out } = await runLine(["tools", "import", join(folder, "link")], { answers: tools() });
    expect(out).toBe("created    x\n");
  });

  it("have names of their own where capitals do not count, also when only one is written", async () => {
    const answers = tools(UPPER, { ...UPPER, name: "text.Upper" });
    await runLine(["tools", "export", join(folder, "one"), "text.Upper"], { answers });
    expect((await readdir(join(folder, "one"))).toSorted()).toEqual(["text_Upper+20.js", "text_Upper+20.tool.json"]);
    expect((await runLine(["tools", "import", join(folder, "one")], { answers })).out).toBe("unchanged  text.Upper\n");
  });

  it("are refused when two of them are one tool", async () => {
    for (const name of ["a", "b"]) {
      await writeFile(join(folder, "theirs", `${name}.tool.json`), '{ "name": "x.y", "code": "return 1" }');
    }
    expect(await imported()).toMatchObject(refused("a.tool.json and b.tool.json are both the tool x.y"));
  });
});
