import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ensureTestImage } from "../../../scripts/test-image.ts";
import type { ExecEnd, ExecOptions, Shell } from "../shells.ts";
import { docker } from "./fixtures/open-engine.ts";
import { deadlineOf, openShells, runIn } from "./fixtures/open-shell.ts";

if (docker) await ensureTestImage(docker.client, "plain");

describe.skipIf(!docker)("a module in a shell", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "dynamic-mcp-shell-layer-"));
  afterAll(() => {
    rmSync(folder, { recursive: true });
    docker?.client.close();
  });

  function makeLayer(key: string, files: Record<string, string>) {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(folder, key, "node_modules", name);
      mkdirSync(path.dirname(file), { recursive: true });
      if (text.startsWith("-> ")) symlinkSync(text.slice(3), file);
      else writeFileSync(file, text);
    }
    return { key, folder: path.join(folder, key) };
  }

  const moduleIn =
    (shell: Shell) =>
    (code: string, options: Partial<Parameters<Shell["runModule"]>[1]> = {}): Promise<ExecEnd> =>
      shell.runModule(code, { timeoutMs: 10_000, maxOutputBytes: 100_000, deadline: deadlineOf(), ...options } satisfies ExecOptions); // prettier-ignore

  it("has imports, top-level await, the shell's files, and an exit code; and leaves no file", async () => {
    const { open } = openShells();
    const shell = await open();
    const run = moduleIn(shell);
    await shell.writeFiles([{ path: "app/own.js", bytes: Buffer.from("exports.answer = 42") }], deadlineOf());
    await runIn(shell)("cd app; export WHO=me");
    const code = `
      import { readFileSync, writeFileSync } from "node:fs";
      import own from "./own.js";
      writeFileSync("written.txt", "by the module");
      console.log(await Promise.resolve(own.answer), readFileSync("own.js", "utf8").length, process.env.WHO, "é\\n");
      console.error("err");
    `;
    expect(await run(code)).toMatchObject({ exitCode: 0, stdout: "42 19 me é\n\n", stderr: "err\n" });
    expect(await run("process.exit(3)")).toMatchObject({ exitCode: 3 });
    expect(await run("throw new TypeError('no')")).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("TypeError: no") as string }); // prettier-ignore
    expect(await run("for (;;);", { timeoutMs: 300 })).toMatchObject({ stopped: "timeout" });
    expect(await runIn(shell)("ls -A")).toMatchObject({ stdout: "own.js\nwritten.txt\n" });
    const long = `const text = ${JSON.stringify("é".repeat(150_000))}; console.log(text.length)`;
    expect(await run(long)).toMatchObject({ stdout: "150000\n" });
    await runIn(shell)("cd /");
    expect(await run("console.log(process.cwd())")).toMatchObject({ stdout: "/\n" });
  });

  it("finds packages of its layer, the same in each call, and of another in the next", async () => {
    const { open } = openShells();
    const shell = await open();
    const run = moduleIn(shell);
    const deep = `${"deep/".repeat(40)}file.js`;
    const one = makeLayer("1".repeat(64), {
      "demo/package.json": '{"type":"module","exports":"./index.js"}',
      "demo/index.js": `import inner from "inner"; export default "one with " + inner`,
      "inner/index.js": "module.exports = 'inner'",
      [`demo/${deep}`]: "",
      linked: "-> demo",
    });
    const two = makeLayer("2".repeat(64), { "demo/index.js": "module.exports = 'two'" });
    const code = "import demo from 'demo'; console.log(demo)";
    for (let n = 0; n < 2; n++) expect(await run(code, { layer: one })).toMatchObject({ stdout: "one with inner\n" });
    expect(await run(code, { layer: two })).toMatchObject({ stdout: "two\n" });
    expect(await runIn(shell)(`[ -e node_modules/demo ] && ls -d .packages/1*/node_modules/demo/${deep}`)).toMatchObject({ exitCode: 0 }); // prettier-ignore
    // Thrown away by a command: copied in anew.
    await runIn(shell)("rm -rf /workspace/.packages");
    expect(await run(code, { layer: one })).toMatchObject({ stdout: "one with inner\n" });
    // Somebody's own packages are not touched.
    await runIn(shell)(
      "rm node_modules; mkdir -p node_modules/demo; echo 'module.exports = 3' > node_modules/demo/index.js",
    );
    await expect(run(code, { layer: one })).rejects.toMatchObject({ code: "INVALID_ARGUMENTS" });
    expect(await run(code)).toMatchObject({ stdout: "3\n" });
  });

  it("is refused when its packages do not fit, and the folder can be used as before", async () => {
    const { open } = openShells({ memoryMiB: 128 });
    const shell = await open();
    const layer = makeLayer("3".repeat(64), { "large/index.js": "x".repeat(70 * 2 ** 20) });
    await expect(moduleIn(shell)("1", { layer })).rejects.toMatchObject({ code: "TOO_LARGE" });
    expect(await runIn(shell)("dd if=/dev/zero of=half bs=1M count=50 2>&1; ls -A . .packages")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/\.:\n\.packages\nhalf\n\n\.packages:\n3+\n$/) as string,
    });
  });

  it("is refused where there is no Node", async () => {
    const { open } = openShells({ defaultImage: docker?.images.plain ?? "" });
    const shell = await open();
    await expect(moduleIn(shell)("1")).rejects.toMatchObject({ code: "IMAGE_UNUSABLE" });
    expect(await runIn(shell)("ls -A")).toMatchObject({ stdout: "" });
  });
});
