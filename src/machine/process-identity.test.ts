import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hostIdentity, isSameProcess, processStart } from "./process-identity.ts";

describe.skipIf(process.platform !== "linux")("who a process is", () => {
  it("is its number and when it started", () => {
    const start = processStart(process.pid);
    expect(start).toMatch(/^\d+$/);
    expect(processStart(process.pid)).toBe(start);
    expect(isSameProcess(process.pid, start ?? "")).toBe(true);
    expect(isSameProcess(process.pid, `${Number(start) - 1}`)).toBe(false);
    expect(isSameProcess(process.pid, "")).toBe(false);
  });

  it.each([0, -1, 1.5, NaN, 2 ** 22])("is nobody for a number that no process can have: %s", (pid) => {
    expect(processStart(pid)).toBeUndefined();
    expect(isSameProcess(pid, "1")).toBe(false);
  });

  it("does not depend on its name, and is over when it has died, waited for or not", async () => {
    // A shell whose child is never waited for: it has replaced itself by one that does not.
    const name = "sleep 100) R 1 1 1";
    const script = `(exec -a '${name}' sleep 0.01) & echo $!; exec -a '${name}' sleep 100`;
    const shell = spawn("bash", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      const [line] = (await once(shell.stdout, "data")) as [Buffer];
      const child = Number(String(line));
      const state = () => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${child}/status`, "utf8"))?.[1];
      await expect.poll(state).toBe("Z");
      expect(processStart(child)).toBeUndefined();
      expect(processStart(shell.pid ?? 0)).toMatch(/^\d{3,}$/);
    } finally {
      shell.kill("SIGKILL");
      await once(shell, "exit");
    }
    expect(processStart(shell.pid ?? 0)).toBeUndefined();
  });

  it("holds within one boot and one process namespace", () => {
    expect(hostIdentity()).toMatch(/^[0-9a-f-]{36}:\d+$/);
    expect(hostIdentity()).toBe(hostIdentity());
  });
});

describe.skipIf(process.platform === "linux")("who a process is, where the system does not tell", () => {
  it("is not known", () => {
    expect(processStart(process.pid)).toBeUndefined();
    expect(hostIdentity()).toBeUndefined();
  });
});
