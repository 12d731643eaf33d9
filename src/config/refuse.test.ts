import { describe, expect, it } from "vitest";
import { bareMachine } from "./fixtures/machine.ts";
import { loadSettings } from "./load.ts";
import { assertMayListen } from "./refuse.ts";

const load = async (...argv: string[]) => (await loadSettings(bareMachine({ argv }))).settings;

describe("assertMayListen", () => {
  it.each(["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost", "LOCALHOST", "a.localhost"])(
    "lets %s",
    async (host) => {
      expect(assertMayListen(await load("--host", host))).toBeUndefined();
    },
  );

  it.each([
    "0.0.0.0",
    "::",
    "192.168.1.5",
    "example.com",
    "127.0.0.1.example.com",
    "localhost.example.com",
    "128.0.0.1",
    "127.1",
    "127.0.0.256",
    "::ffff:127.0.0.1",
  ])("refuses %s unless it is said explicitly [config-no-open-door]", async (host) => {
    const settings = await load("--host", host);
    expect(() => assertMayListen(settings)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    expect(assertMayListen(await load("--host", host, "--allow-unauthenticated"))).toBeUndefined();
  });
});
