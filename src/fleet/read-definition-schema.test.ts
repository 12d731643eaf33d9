import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { readDefinitions } from "./read-definition.ts";
import { serversPage, serversSchema } from "./read-definition-schema.ts";

const fits = new Ajv2020({ allowUnionTypes: true }).compile(serversSchema());
const isRead = (server: unknown) => {
  const raw = JSON.parse(JSON.stringify({ one: server })) as Parameters<typeof readDefinitions>[0];
  const context = { origin: "file", where: String, env: {}, folder: "/", homeDir: "/" } as const;
  return readDefinitions(raw, context).definitions[0]?.problem === undefined;
};

describe("the schema for editors", () => {
  const stdio = { command: "x" };
  it.each([
    { command: "x", args: ["", "a"], env: { A: "", B: 1, C: true }, cwd: "/", inheritEnv: false, enabled: true },
    { url: "https://h", headers: { A: "b" }, type: "streamable-http", oauth_client_id: "x", oauth_scopes: ["a"] },
    { url: "https://h", type: "streaming", $schema: "x", _comment: {}, "//": 1, icon: "x", alwaysAllow: [] },
    { httpUrl: "https://h", transport: "sse", includeTools: ["a"], excludeTools: ["b"], disabledTools: ["c"] },
    { ...stdio, timeout: 5, prefix: "", expose: "groups", idleStop: false, maxConcurrency: 10_000, interactive: true },
    { ...stdio, timeout: { tools: "1.5 min", connect: 0.5 }, prefix: true, idleStop: "30s" },
    { ...stdio, tools: { rename: { "a_*": "b_*", "c*": "${D:-d_}*", e: "f" } }, timeout: 30_000 },
    { ...stdio, features: { tools: false }, tools: { allow: ["a*"], deny: [], rename: { a: "b" } } },
    { ...stdio, type: "local", tools: ["*"], envFile: ".env", watchPaths: [], provider: "x", dev: {} },
    { url: "https://h", type: "remote", timeout: 86_400_000 },
  ])("takes what is taken: %j", (server) => {
    expect({ fits: fits({ one: server }), isRead: isRead(server) }).toEqual({ fits: true, isRead: true });
  });

  it.each([
    { ...stdio, arg: [] },
    { ...stdio, args: "x" },
    { ...stdio, args: [1] },
    { ...stdio, type: "tcp" },
    { ...stdio, timeout: "soon" },
    { ...stdio, timeout: 0 },
    { ...stdio, timeout: { all: 5 } },
    { ...stdio, tools: { rename: { "a*": "b" } } },
    { ...stdio, tools: { rename: { "a*b*": "b*" } } },
    { ...stdio, tools: [1] },
    { ...stdio, timeout: 86_400_001 },
    { ...stdio, expose: "all" },
    { ...stdio, maxConcurrency: 10_001 },
    { ...stdio, idleStop: true },
    { ...stdio, env: { A: [] } },
    { command: "" },
    "npx",
  ])("refuses what is refused: %j", (server) => {
    expect({ fits: fits({ one: server }), isRead: isRead(server) }).toEqual({ fits: false, isRead: false });
  });

  it("describes every field, as the page does", () => {
    const page = serversPage();
    const one = serversSchema()["additionalProperties"] as { properties: Record<string, { description?: string }> };
    for (const [name, { description }] of Object.entries(one.properties)) {
      expect(description).toBeTruthy();
      expect(page).toContain(`\`${name}\``);
    }
    expect(page).toContain("`timeout.connect`");
  });
});
