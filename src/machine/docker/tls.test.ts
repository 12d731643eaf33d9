import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDockerClient } from "./docker.ts";

const has = (() => {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch (error) {
    if (process.env["DYNAMIC_MCP_REQUIRE_PARTS"] === "1") throw error;
    process.stderr.write("skipped, no openssl\n");
    return false;
  }
})();

describe.skipIf(!has)("a remote daemon over TLS", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "dynamic-mcp-tls-"));
  const file = (name: string) => path.join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  let server: Server;
  let host = "";

  beforeAll(async () => {
    writeFileSync(file("ext"), "subjectAltName=IP:127.0.0.1\n");
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=ca", "-keyout", "ca-key.pem", "-out", "ca.pem"); // prettier-ignore
    for (const name of ["server", "client"]) {
      openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", `/CN=${name}`, "-keyout", `${name}-key.pem`, "-out", `${name}.csr`); // prettier-ignore
      openssl("x509", "-req", "-days", "2", "-in", `${name}.csr`, "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-extfile", "ext", "-out", `${name}.pem`); // prettier-ignore
    }
    writeFileSync(file("cert.pem"), readFileSync(file("client.pem")));
    writeFileSync(file("key.pem"), readFileSync(file("client-key.pem")));
    const tls = { ca: readFileSync(file("ca.pem")), cert: readFileSync(file("server.pem")), key: readFileSync(file("server-key.pem")) }; // prettier-ignore
    server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (_, response) => {
      response.setHeader("Api-Version", "1.43");
      response.end("OK");
    });
    server.on("upgrade", (_, socket) => {
      socket.write("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
      socket.end(Buffer.from([1, 0, 0, 0, 0, 0, 0, 2, 104, 105]));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    host = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  it("is spoken to with the operator's certificates, streams too", async () => {
    const docker = createDockerClient({ host, isTls: true, certFolder: folder });
    expect(await docker.ping()).toMatchObject({ apiVersion: "1.43", address: host.replace("tcp", "https") });
    let told = "";
    const onStdout = (chunk: Uint8Array) => void (told += Buffer.from(chunk).toString());
    const stream = await docker.containers.attach("x", { onStdout, onStderr() {} });
    expect(await stream.ended).toBeUndefined();
    expect(told).toBe("hi");
    docker.close();
  });

  it.each([
    ["that nobody vouches for", () => ({ isTls: true })],
    ["when plain text is spoken", () => ({ certFolder: folder })],
  ])("is refused %s", async (_, options) => {
    const docker = createDockerClient({ host, ...options() });
    await expect(docker.ping()).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    docker.close();
  });
});
