import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import { testDocker } from "../../../test/support/docker.ts";
import { createDockerClient } from "./docker.ts";
import { jsonAnswer, PING, startOddDaemon } from "./fixtures/odd-daemon.ts";
import { tar } from "./tar.ts";

const UNAVAILABLE = { code: "ENGINE_UNAVAILABLE" };

describe("a client of the Docker Engine API", () => {
  describe("finds its daemon", () => {
    it.each([
      ["a socket that is not there", "unix:///nowhere/docker.sock"],
      ["a port where nobody listens", "tcp://127.0.0.1:1"],
      ["a relative path", "unix://docker.sock"],
      ["another scheme", "ssh://user@host"],
      ["nonsense", "::"],
    ])("and says what to do about %s", async (_, host) => {
      const docker = createDockerClient({ host });
      await expect(docker.ping()).rejects.toMatchObject(UNAVAILABLE);
      docker.close();
    });

    it("among the usual sockets, each of which may be missing", async () => {
      await using daemon = await startOddDaemon(() => {});
      const runtimeFolder = daemon.host.slice("unix://".length, -"/docker.sock".length);
      const docker = createDockerClient({ runtimeFolder });
      const { address } = await docker.ping();
      expect(["unix:///var/run/docker.sock", daemon.host]).toContain(address);
      docker.close();
    });

    it("over TCP", async () => {
      const server = createServer((_, response) => response.setHeader("Api-Version", "1.45").end("OK"));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const docker = createDockerClient({ host: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` });
      expect(await docker.ping()).toMatchObject({ apiVersion: "1.45" });
      docker.close();
      await new Promise((resolve) => server.close(resolve));
    });

    it.each([
      ["an older one: its version", "1.30", "1.30"],
      ["a newer one: the newest that is known here", "1.99", "1.47"],
    ])("and speaks with %s", async (_, theirs, spoken) => {
      await using daemon = await startOddDaemon(
        (line) => (line.includes("_ping") ? PING.replace("1.41", theirs) : jsonAnswer({ Version: "x" })),
        true,
      );
      const docker = createDockerClient({ host: daemon.host });
      expect((await docker.ping()).apiVersion).toBe(spoken);
      expect((await docker.version()).version).toBe("x");
      expect(daemon.requests.at(-1)).toBe(`GET /v${spoken}/version HTTP/1.1`);
      docker.close();
    });

    it.each([
      ["too old a daemon", PING.replace("1.41", "1.29")],
      ["a web server", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
      ["a version that is none", PING.replace("1.41", "1.4/../..")],
      ["a page for an error", "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 200\r\n\r\n" + "x".repeat(200)],
      ["something that is not HTTP", "SSH-2.0-OpenSSH_9.2\r\n"],
      ["a web server without such a page", "HTTP/1.1 404 X\r\nContent-Length: 4\r\n\r\nnope"],
      ["a proxy whose daemon is away", jsonAnswer({ message: "boom" }, 500)],
      [
        "a page without end",
        `HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 99999\r\n\r\n${"x".repeat(9_999)}`,
      ],
      ["half a header", "HTTP/1.1 200 OK\r\nApi-Ver", true],
    ])("and refuses %s", async (_, answer, ends = false) => {
      await using daemon = await startOddDaemon((__, socket) => {
        if (!ends) return answer;
        socket.end(answer);
      }, true);
      const docker = createDockerClient({ host: daemon.host });
      await expect(docker.ping()).rejects.toMatchObject(UNAVAILABLE);
      await expect(docker.ping()).rejects.toThrow(daemon.host);
      docker.close();
    });
  });

  describe("survives a daemon", () => {
    it("that hangs: the call ends at its own time", async () => {
      await using daemon = await startOddDaemon(() => {});
      const docker = createDockerClient({ host: daemon.host });
      await expect(docker.containers.inspect("x", { timeoutMs: 30 })).rejects.toMatchObject(UNAVAILABLE);
      docker.close();
    });

    it("that hangs: the caller's signal ends it, with the caller's reason", async () => {
      await using daemon = await startOddDaemon(() => {});
      const docker = createDockerClient({ host: daemon.host });
      const controller = new AbortController();
      const call = docker.info({ signal: controller.signal });
      await expect.poll(() => daemon.requests).toHaveLength(2);
      controller.abort(new Error("enough"));
      await expect(call).rejects.toThrow("enough");
      await expect(docker.info({ signal: controller.signal })).rejects.toThrow("enough");
      docker.close();
    });

    it.each([
      ["stops in the middle of an answer", jsonAnswer({ Id: "x" }).slice(0, -3)],
      ["dies before it answers", ""],
      ["answers with something else", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n<a"],
    ])("that %s", async (_, answer) => {
      await using daemon = await startOddDaemon((__, socket) => void socket.end(answer));
      const docker = createDockerClient({ host: daemon.host });
      await expect(docker.info()).rejects.toMatchObject(UNAVAILABLE);
      docker.close();
    });

    it("that answers without end", async () => {
      await using daemon = await startOddDaemon((_, socket) => {
        const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
        const more = () => socket.writable && socket.write(chunk, more);
        socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", more);
      });
      const docker = createDockerClient({ host: daemon.host });
      await expect(docker.info()).rejects.toMatchObject({ code: "TOO_LARGE" });
      docker.close();
    });

    it("that refuses, in its own words or in a proxy's", async () => {
      await using daemon = await startOddDaemon((line) =>
        line.includes("/a/")
          ? jsonAnswer({ message: "no space" }, 500)
          : "HTTP/1.1 502 X\r\nContent-Length: 3\r\n\r\nbad",
      );
      const docker = createDockerClient({ host: daemon.host });
      await expect(docker.containers.start("a")).rejects.toMatchObject({ status: 500, message: "no space" });
      await expect(docker.containers.start("b")).rejects.toMatchObject({ status: 502, message: "bad" });
      docker.close();
    });

    it("that went and came back: kept connections are made anew", async () => {
      await using daemon = await startOddDaemon(() => jsonAnswer({ ID: "x" }));
      const docker = createDockerClient({ host: daemon.host });
      expect((await docker.info()).id).toBe("x");
      daemon.cut();
      expect((await docker.info()).id).toBe("x");
      await daemon.stop();
      await expect(docker.info()).rejects.toMatchObject(UNAVAILABLE);
      await daemon.listen();
      expect((await docker.info()).id).toBe("x");
      docker.close();
    });

    it("whose stream breaks off, or is none", async () => {
      const piece = Buffer.from([1, 0, 0, 0, 0, 0, 0, 5, 104, 105]);
      const upgrade = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
      await using daemon = await startOddDaemon((line, socket) => {
        if (line.includes("/half/")) return void socket.end(Buffer.concat([Buffer.from(upgrade), piece]));
        if (line.includes("/noise/")) return void socket.write(`${upgrade}hello, this is not a stream`);
        return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
      });
      const docker = createDockerClient({ host: daemon.host });
      const got: string[] = [];
      const handlers = { onStdout: (c: Uint8Array) => void got.push(Buffer.from(c).toString()), onStderr() {} };
      expect(await (await docker.containers.attach("half", handlers)).ended).toBeInstanceOf(Error);
      expect(got).toEqual(["hi"]);
      expect(await (await docker.containers.attach("noise", handlers)).ended).toBeInstanceOf(Error);
      expect(got).toEqual(["hi"]);
      await expect(docker.containers.attach("plain", handlers)).rejects.toMatchObject(UNAVAILABLE);
      docker.close();
    });
  });
});

const found = await testDocker("plain");

describe.skipIf(!found)("with a real daemon, the client", () => {
  const docker = found?.client ?? createDockerClient();
  const labels = { "dynamic-mcp.client-test": "1" };
  const made: string[] = [];
  const container = async (...command: string[]) => {
    const Image = found?.images.plain ?? "";
    const HostConfig = { NetworkMode: "none" };
    const id = await docker.containers.create({
      Image,
      Cmd: command,
      Labels: labels,
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      HostConfig,
    });
    made.push(id);
    return id;
  };
  const collect = () => {
    const out = { stdout: "", stderr: "" };
    const decode = (chunk: Uint8Array) => Buffer.from(chunk).toString("utf8");
    return Object.assign(out, {
      onStdout: (chunk: Uint8Array) => void (out.stdout += decode(chunk)),
      onStderr: (chunk: Uint8Array) => void (out.stderr += decode(chunk)),
    });
  };
  afterAll(async () => {
    await Promise.all(made.map((id) => docker.containers.remove(id)));
    docker.close();
  });

  it("runs a container: input, both outputs, exit code, removal", async () => {
    const id = await container("sh", "-c", "read line; echo got $line; echo bad >&2; exit 3");
    const out = collect();
    const stream = await docker.containers.attach(id, out);
    await docker.containers.start(id);
    stream.write(Buffer.from("hello\n"));
    expect(await stream.ended).toBeUndefined();
    expect(out).toMatchObject({ stdout: "got hello\n", stderr: "bad\n" });
    expect(await docker.containers.wait(id)).toBe(3);
    expect(await docker.containers.inspect(id)).toMatchObject({ isRunning: false, exitCode: 3, isOomKilled: false, labels }); // prettier-ignore
    await docker.containers.remove(id);
    await docker.containers.remove(id);
    expect(await docker.containers.inspect(id)).toBeUndefined();
  });

  it("runs a command in one, and ends both", async () => {
    const id = await container("cat");
    await docker.containers.start(id);
    const command = await docker.execs.create(id, {
      Cmd: ["sh", "-c", "cat; exit 4"],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    });
    const out = collect();
    const stream = await docker.execs.start(command, out);
    stream.write(Buffer.from("through"));
    stream.endInput();
    expect(await stream.ended).toBeUndefined();
    expect(out.stdout).toBe("through");
    expect(await docker.execs.inspect(command)).toMatchObject({ isRunning: false, exitCode: 4 });
    await docker.containers.kill(id);
    await docker.containers.kill(id);
    expect(await docker.containers.wait(id)).toBe(137);
  });

  it("puts files in and gets them out, long names and all", async () => {
    const id = await container("true");
    const name = `${"long/".repeat(40)}grüße.txt`;
    const content = Buffer.from("hello");
    const folders = Array.from({ length: 40 }, (_, n) => ({ kind: "folder", name: "long/".repeat(n + 1).slice(0, -1), mode: 0o755 }) as const); // prettier-ignore
    const file = { kind: "file", name, mode: 0o644, size: content.byteLength, content: [content] } as const;
    await docker.containers.putArchive(id, "/tmp", tar([...folders, file]));
    const archive = await docker.containers.getArchive(id, `/tmp/${name}`, { maxBytes: 10_000 });
    expect(archive.includes("hello")).toBe(true);
    await expect(docker.containers.getArchive(id, "/bin", { maxBytes: 10_000 })).rejects.toMatchObject({ code: "TOO_LARGE" }); // prettier-ignore
    await expect(docker.containers.getArchive(id, "/none", { maxBytes: 10 })).rejects.toMatchObject({ status: 404 });
    await expect(docker.containers.putArchive(id, "/none", tar([]))).rejects.toMatchObject({ status: 404 });
  });

  it("passes on what goes wrong while an archive is read", async () => {
    const id = await container("true");
    const short = { kind: "file", name: "a", mode: 0o644, size: 10, content: [Buffer.from("x")] } as const;
    await expect(docker.containers.putArchive(id, "/tmp", tar([short]))).rejects.toThrow("changed while");
  });

  it("keeps volumes by name", async () => {
    const name = `dynamic-mcp-client-test-${process.pid}`;
    expect((await docker.volumes.create(name, labels)).labels).toEqual(labels);
    expect((await docker.volumes.list(["dynamic-mcp.client-test=1"])).map((volume) => volume.name)).toContain(name);
    expect(await docker.volumes.remove(name)).toBe(true);
    expect(await docker.volumes.inspect(name)).toBeUndefined();
    expect(await docker.volumes.remove(name)).toBe(true);
  });

  it("tells what is not there from what went wrong", async () => {
    expect(await docker.images.inspect("dynamic-mcp-test/none:1")).toBeUndefined();
    await expect(docker.containers.create({ Image: "dynamic-mcp-test/none:1" })).rejects.toMatchObject({ status: 404 });
    await expect(docker.containers.start("dynamic-mcp-none")).rejects.toMatchObject({ status: 404 });
  });
});
