import { describe, expect, it } from "vitest";
import { bareMachine } from "./fixtures/machine.ts";
import { loadSettings } from "./load.ts";

describe("what the environment holds besides settings", () => {
  it("is secrets for tools and npm's variables, and no setting is taken for a secret", async () => {
    const env = { MCP_SECRET_TOKEN: "t0ken-value", MCP_SECRET_KEY: "0123456789abcdef", npm_config_registry: "https://r.example/", NPM_CONFIG_CAFILE: "/ca", HOME: "/x", MCP_SECRET_EMPTY: "" }; // prettier-ignore
    const { ambient, settings, warnings } = await loadSettings(bareMachine({ env }));
    expect(ambient.secrets).toEqual({ TOKEN: "t0ken-value" });
    expect(ambient.env).toEqual(env);
    expect(ambient.npm).toEqual({ npm_config_registry: "https://r.example/", npm_config_cafile: "/ca" });
    expect(settings.secrets.key).toBe("0123456789abcdef");
    expect(warnings).toEqual([]);
  });

  it("does not make a start fail: whatever stands in DOCKER_HOST is the engine's to judge", async () => {
    const { settings } = await loadSettings(bareMachine({ env: { DOCKER_HOST: "ssh://somebody@host" } }));
    expect(settings.sandbox.dockerHost).toBe("ssh://somebody@host");
  });

  it("says that a program of the older system is not used", async () => {
    const { warnings } = await loadSettings(bareMachine({ env: { MCP_SANDBOX_DOCKER_BIN: "/usr/bin/podman" } }));
    expect(warnings).toEqual([expect.stringMatching(/^MCP_SANDBOX_DOCKER_BIN has no effect: .*dockerHost/)]);
  });
});
