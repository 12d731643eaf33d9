import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { ensureTestImage } from "../../../scripts/test-image.ts";
import type { Shell } from "../shells.ts";
import { createDockerBase } from "./docker-base.ts";
import { ensureShImage } from "./fixtures/sh-image.ts";
import { docker } from "./fixtures/open-engine.ts";
import { deadlineOf, openShells, type Run, runIn } from "./fixtures/open-shell.ts";
import { LABEL } from "./marks.ts";

const dash = docker && (await ensureShImage(docker.client, "dash"));
const bash = docker && (await ensureShImage(docker.client, "bash"));
if (docker) for (const image of ["plain", "bare"] as const) await ensureTestImage(docker.client, image);
const SERVER = fileURLToPath(new URL("fixtures/shell-server.ts", import.meta.url));

afterAll(() => docker?.client.close());

describe.skipIf(!docker).each([
  ["busybox", docker?.images.plain],
  ["dash", dash],
  ["bash", bash],
])("a shell of %s", (_name, image) => {
  const have = image !== undefined;

  async function begin(): Promise<{ shell: Shell; run: Run }> {
    const { open } = openShells(image === undefined ? {} : { defaultImage: image });
    const shell = await open();
    return { shell, run: runIn(shell) };
  }

  it.skipIf(!have)("gives output, errors and exit codes apart, for any text", async () => {
    const { run } = await begin();
    expect(await run("echo out; echo err >&2; exit 3")).toMatchObject({
      exitCode: 3,
      stdout: "out\n",
      stderr: "err\n",
    });
    expect(await run("true")).toMatchObject({ exitCode: 0, stdout: "", stderr: "", droppedBytes: 0 });
    expect(await run("if; then")).toMatchObject({ exitCode: 2 });
    expect(await run("no-such-command")).toMatchObject({ exitCode: 127 });
    const odd = String.raw`é À Ł 日本 \n \0101 %s $x ' " ` + "`\u0001\u001e";
    expect(await run(`cat <<'END'\n${odd}\nEND\n`)).toMatchObject({ stdout: `${odd}\n` });
    expect(await run("  printf 'a\\377b\\000c' ; echo $#  ")).toMatchObject({ stdout: "a\ufffdb\0c0\n" });
  });

  it.skipIf(!have)("goes on in the folder and with the variables that the last command left", async () => {
    const { shell, run } = await begin();
    expect(shell.folder).toBe("/workspace");
    await run("mkdir -p \"it's a/b\" && cd \"it's a/b\" && export A='1\n2  3' && B=4");
    expect(shell.folder).toBe("/workspace/it's a/b");
    expect(await run('pwd; echo "$A-$B"; cd ..; exit 5')).toMatchObject({
      stdout: "/workspace/it's a/b\n1\n2  3-\n",
      exitCode: 5,
    });
    expect(await run("cd - >/dev/null; pwd")).toMatchObject({ stdout: "/workspace/it's a/b\n" });
    // A command that dies before it can leave anything changes nothing.
    await run("cd /; kill -9 $$");
    expect(await run("pwd; rm -rf /workspace/*; ")).toMatchObject({ stdout: "/workspace/it's a/b\n", exitCode: 0 });
    expect(await run("pwd")).toMatchObject({ stdout: "/workspace\n" });
  });

  it.skipIf(!have)(
    "kills a command at its limit with all that it started, and nothing else [shells-time-limit]",
    async () => {
      const { run } = await begin();
      await run("(while :; do echo 1 > /workspace/earlier; sleep 0.05; done) >/dev/null 2>&1 &");
      const ticks = "while :; do echo 1 > /workspace/tick; sleep 0.05; done";
      const stubborn = [
        `(trap '' TERM INT HUP; ${ticks}) &`, // does not want to die
        `(${ticks}) & (${ticks} &) &`, // has lost its parent
        `env -i /bin/sh -c '${ticks}' &`, // has got rid of our mark
        "while :; do :; done",
      ].join("\n");
      expect(await run(stubborn, { timeoutMs: 500 })).toEqual({ stopped: "timeout", stdout: "", stderr: expect.any(String) as string, droppedBytes: 0, durationMs: expect.any(Number) as number }); // prettier-ignore
      const isWritten = (name: string) => run(`rm -f ${name}; sleep 0.3; [ -e ${name} ]`);
      expect(await isWritten("/workspace/tick")).toMatchObject({ exitCode: 1 });
      expect(await isWritten("/workspace/earlier")).toMatchObject({ exitCode: 0 });
    },
  );

  it.skipIf(!have)("survives a command that kills all it can", async () => {
    const { run } = await begin();
    expect(await run("kill -9 -1")).toMatchObject({ exitCode: 137 });
    expect(await run("kill -STOP 1; kill -KILL 1; echo still")).toMatchObject({ exitCode: 0, stdout: "still\n" });
    expect(await run("echo there")).toMatchObject({ stdout: "there\n", exitCode: 0 });
  });

  it.skipIf(!have)("ends a fork bomb, at the worst with the whole shell, and says so", async () => {
    const { shell, run } = await begin();
    const end = await run("b() { b | b & }; (b) & while :; do :; done", { timeoutMs: 1_000 });
    expect(end).toMatchObject({ stopped: "timeout" });
    // On a busy machine the bomb leaves no time to whoever has to end it.
    if (end.isShellLost) await shell.gone;
    else expect(await run("echo there")).toMatchObject({ stdout: "there\n", exitCode: 0 });
  });

  it.skipIf(!have)("has no dead processes lying about", async () => {
    const { run } = await begin();
    // More than there may be at once, each without a parent when it ends.
    expect(await run("for i in $(seq 400); do (sleep 0 &); done")).toMatchObject({ exitCode: 0, stderr: "" });
    await expect.poll(() => run("set -- /proc/[0-9]*; [ $# -lt 10 ]")).toMatchObject({ exitCode: 0 });
  });

  it.skipIf(!have)("keeps the beginning of a flood, counts the rest, and goes on", async () => {
    const { run } = await begin();
    const flood = "while :; do echo 0123456789012345678901234567890123456789; done";
    const end = await run(flood, { timeoutMs: 500, maxOutputBytes: 100 });
    expect(end).toMatchObject({ stopped: "timeout" });
    expect(end.stdout).toHaveLength(100);
    expect(end.droppedBytes).toBeGreaterThan(10_000);
    expect(await run("echo after")).toMatchObject({ stdout: "after\n" });
    expect(await run("echo 12345; echo 678 >&2", { maxOutputBytes: 10 })).toMatchObject({ droppedBytes: 0 });
    expect(await run("echo 12345; echo 6789 >&2", { maxOutputBytes: 10 })).toMatchObject({ droppedBytes: 1 });
  });

  it.skipIf(!have)("takes files and gives them back, byte for byte", async () => {
    const { shell, run } = await begin();
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const files = [
      { path: "a b/it's.bin", bytes: every },
      { path: "/tmp/empty", bytes: Buffer.alloc(0) },
      { path: "large.bin", bytes: Buffer.alloc(1_000_000, every) },
    ];
    await shell.writeFiles(files, deadlineOf());
    const paths = files.map(({ path }) => path);
    const read = await shell.readFiles(paths, 1_000_256, deadlineOf());
    expect(read.map(({ bytes }, n) => Buffer.compare(bytes, files[n]?.bytes ?? every))).toEqual([0, 0, 0]);
    await expect(shell.readFiles(paths, 1_000_255, deadlineOf())).rejects.toMatchObject({ code: "TOO_LARGE" });
    await run("cd '/workspace/a b'");
    expect(await shell.readFiles(["it's.bin"], 256, deadlineOf())).toMatchObject([{ path: "it's.bin" }]);
    for (const path of ["nothing", "/workspace", "/dev/zero"]) {
      await expect(shell.readFiles([path], 100, deadlineOf())).rejects.toMatchObject({ code: "INVALID_ARGUMENTS" });
    }
    for (const bytes of [Buffer.from("x"), Buffer.alloc(100_000)]) {
      for (const path of ["/etc/new", "../../etc/new", "/workspace", "folder/"]) {
        const write = shell.writeFiles([{ path, bytes }], deadlineOf());
        await expect(write, `${path} ${bytes.byteLength}`).rejects.toMatchObject({ code: "INVALID_ARGUMENTS" });
      }
    }
  });
});

describe.skipIf(!docker)("a shell's container", () => {
  it("is locked: no network, no root, nothing to write but bounded memory [shells-contained]", async () => {
    const { open } = openShells({ memoryMiB: 64 });
    const run = runIn(await open());
    expect(await run("id -u; cat /proc/self/status | grep -E 'CapEff|NoNewPrivs|Seccomp:'; cat /proc/net/dev | grep -c :")).toMatchObject({
      stdout: "65534\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n1\n",
    }); // prettier-ignore
    expect(await run("echo > /x")).toMatchObject({ exitCode: 1 });
    expect(await run("ls /var/run/docker.sock /run/docker.sock")).toMatchObject({ exitCode: 1, stdout: "" });
    expect(await run("dd if=/dev/zero of=/workspace/full bs=1M count=100; rm /workspace/full")).toMatchObject({
      stderr: expect.stringContaining("No space left") as string,
    });
    expect(await run("printf '#!/bin/sh\\necho ran' > /workspace/s; chmod +x s; ./s")).toMatchObject({
      stdout: "ran\n",
    });
  });

  it.skipIf(dash === undefined)("has none of its image's volumes, which would be on the host's disk", async () => {
    const image = dash ?? "";
    // Without our doing there is one, that can be written without a bound.
    expect(await docker?.client.images.inspect(image)).toMatchObject({ volumes: ["/data"] });
    const { open } = openShells({ defaultImage: image, memoryMiB: 64 });
    const run = runIn(await open());
    const typeOf = "echo x > /data/x; while read _ at type _; do [ $at = /data ] && echo $type; done </proc/mounts";
    expect(await run(`${typeOf}; true`)).toMatchObject({ exitCode: 0, stdout: "tmpfs\n" });
  });

  it("is the bound of what links can reach, for files in and out [shells-contained]", async () => {
    const { open } = openShells();
    const shell = await open();
    const run = runIn(shell);
    await run("ln -s /etc/hostname name; ln -s / root; ln -s /etc etc; ln -s /proc/1/root out");
    // What is read is the container's own: its name is not this machine's.
    const own = (await run("cat /etc/hostname")).stdout;
    for (const path of ["name", "root/etc/hostname", "out/etc/hostname"]) {
      const [file] = await shell.readFiles([path], 1_000, deadlineOf());
      expect(Buffer.from(file?.bytes ?? []).toString()).toBe(own);
    }
    for (const path of ["etc/new", "root/new", "out/new", "out/../../../new"]) {
      const write = shell.writeFiles([{ path, bytes: Buffer.from("x") }], deadlineOf());
      await expect(write).rejects.toMatchObject({ code: "INVALID_ARGUMENTS" });
    }
    await shell.writeFiles([{ path: "out/workspace/within", bytes: Buffer.from("x") }], deadlineOf());
    expect(await run("cat within")).toMatchObject({ stdout: "x" });
  });

  it("says when its memory is used up, and goes on", async () => {
    const { open } = openShells({ memoryMiB: 64 });
    const run = runIn(await open());
    const hog = "node -e 'const all = []; for (;;) all.push(Buffer.alloc(1e6, 1))'";
    expect(await run(hog)).toMatchObject({ stopped: "out-of-memory" });
    expect(await run("sh -c 'kill -9 $$'")).not.toMatchObject({ stopped: "out-of-memory" });
    expect(await run("echo there")).toMatchObject({ stdout: "there\n" });
  });

  it("that dies by itself or is removed ends the shell at once", async () => {
    const { open, left, base } = openShells();
    const shell = await open();
    const running = runIn(shell)("sleep 60");
    const [id = ""] = await left();
    await base.client.containers.kill(id);
    expect(await running).toMatchObject({ isShellLost: true });
    await shell.gone;
    await expect(runIn(shell)("true")).rejects.toMatchObject({ code: "SHELL_NOT_FOUND" });
    await expect(shell.writeFiles([{ path: "a", bytes: Buffer.alloc(100_000) }], deadlineOf())).rejects.toMatchObject({
      code: "SHELL_NOT_FOUND",
    });
    expect(await left()).toEqual([]);
  });

  it("goes with stop, also while a command runs", async () => {
    const { open, left } = openShells();
    const shell = await open();
    const running = runIn(shell)("sleep 60");
    await shell.stop();
    await shell.stop();
    expect(await running).toMatchObject({ isShellLost: true });
    await shell.gone;
    expect(await left()).toEqual([]);
  });

  it("that floods us while nobody uses it is ended, and one whose commands do is not", async () => {
    const { open, left } = openShells();
    const [idle, used] = [await open(), await open()];
    await runIn(idle)("cat /dev/zero &");
    const flood = { timeoutMs: 1_000, maxOutputBytes: 100 };
    const end = await runIn(used)("cat /dev/zero", flood);
    expect(end).toMatchObject({ stopped: "timeout" });
    await idle.gone;
    await expect(runIn(idle)("true")).rejects.toMatchObject({ code: "SHELL_NOT_FOUND" });
    expect(await runIn(used)("echo there")).toMatchObject({ stdout: "there\n" });
    expect(await left()).toHaveLength(1);
  });

  it("ends a command with its call", async () => {
    const { open } = openShells();
    const run = runIn(await open());
    const deadline = deadlineOf();
    const running = run("(while :; do echo > tick; sleep 0.05; done) & sleep 60", { deadline });
    await docker?.client.ping();
    deadline.end("client");
    expect(await running).toMatchObject({ stopped: "ended" });
    expect(await run("rm -f tick; sleep 0.3; [ -e tick ]")).toMatchObject({ exitCode: 1 });
    const ended = deadlineOf();
    ended.end("client");
    await expect(run("true", { deadline: ended })).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("has ended with a server that is killed, and is gone after the next start [docker-leftovers]", async () => {
    const id = `mcp-sbx-${randomUUID()}`;
    const server = spawn(process.execPath, [SERVER, docker?.images.node ?? "", id], { stdio: ["ignore", "pipe", "inherit"] }); // prettier-ignore
    const said = await new Promise<string>((resolve) => server.stdout.once("data", (chunk) => resolve(String(chunk))));
    const mine = async () =>
      (await docker?.client.containers.list([`${LABEL.instance}=${said.trim().split(" ")[1]}`])) ?? [];
    expect(await mine()).toMatchObject([{ state: "running" }]);
    server.kill("SIGKILL");
    // Its input has ended: nothing of it runs any more, before anybody has looked.
    await expect.poll(mine, { timeout: 10_000 }).toMatchObject([{ state: "exited" }]);
    const base = createDockerBase({ defaultImage: docker?.images.node ?? "" });
    await base.open();
    await expect.poll(mine, { timeout: 10_000 }).toEqual([]);
    await base.close();
  }, 40_000);
});

describe.skipIf(!docker)("a start", () => {
  it("refuses an image without a shell, one that is not there, and one that is not allowed", async () => {
    const { open, left } = openShells({ allowedImages: [docker?.images.node ?? "", docker?.images.bare ?? "", "dynamic-mcp-test/none:1"], pull: "never" }); // prettier-ignore
    await expect(open({ image: docker?.images.bare ?? "" })).rejects.toMatchObject({ code: "IMAGE_UNUSABLE" });
    await expect(open({ image: "dynamic-mcp-test/none:1" })).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
    await expect(open({ image: docker?.images.plain ?? "" })).rejects.toMatchObject({ code: "IMAGE_NOT_ALLOWED" });
    expect(await left()).toEqual([]);
  });

  it("that is ended at any moment leaves nothing", async () => {
    const { open, left, base } = openShells();
    await base.open();
    await Promise.all(
      [0, 5, 20, 40, 60, 80].map(async (afterMs) => {
        const deadline = deadlineOf();
        const opening = open({}, deadline);
        setTimeout(() => deadline.end("client"), afterMs);
        await opening.then(
          (shell) => shell.stop(),
          (error: unknown) => expect(error).toMatchObject({ code: "CANCELLED" }),
        );
      }),
    );
    expect(await left()).toEqual([]);
  });

  it("says what to do where no daemon is", async () => {
    const { open, engine } = openShells({ host: "unix:///nowhere/docker.sock" });
    await expect(open()).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      message: expect.stringContaining("install") as string,
    });
    expect(engine.isAvailable()).toBe(false);
  });
});
