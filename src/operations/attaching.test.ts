import { describe, expect, it } from "vitest";
import { LOCAL } from "../core/caller.ts";
import type { JsonObject } from "../core/json.ts";
import { line, textOf } from "./fixtures/line.ts";
import type { AttachRequest } from "./operations.ts";

const OPERATOR = { principal: { ...LOCAL, isAdmin: true } };
const FILES = { alias: "files", command: "node", args: ["files.js"], env: { A: "${HOME}" } };

/** Attached servers offer one tool each. */
async function attaching(options: { adminToken?: string } = {}) {
  const asked: AttachRequest[] = [];
  const made = await line({
    ...options,
    canAttach: true,
    profiles: ["enterprise"],
    services: {
      servers: {
        async attach(request) {
          asked.push(request);
          return made.servers.set(request.name, { origin: "attached", tools: [{ name: "ls", description: "List" }] });
        },
        detach: async (name) => made.servers.remove(name),
      },
    },
  });
  return { ...made, asked };
}

describe("attaching servers", () => {
  it("makes their tools callable at once, and takes them away again", async () => {
    const { call, asked } = await attaching();
    const attached = await call("upstream.mcp.attach", FILES, OPERATOR);
    expect(attached.structuredContent).toMatchObject({
      alias: "files",
      transport: "stdio",
      target: "node files.js",
      toolCount: 1,
      toolNames: ["ls"],
      attachedAt: "2026-01-31T12:00:00.000Z",
    });
    expect(asked).toEqual([{ name: "files", isReplacing: false, server: { command: "node", args: ["files.js"], env: { A: "${HOME}" } } }]); // prettier-ignore
    expect(textOf(await call("files__ls"))).toBe("files/ls {}");
    expect((await call("upstream_mcp_list", {}, OPERATOR)).structuredContent).toMatchObject({ upstreams: [{ alias: "files", status: "ready", toolCount: 1 }] }); // prettier-ignore
    expect((await call("upstream_mcp_detach", { alias: "files" }, OPERATOR)).structuredContent).toEqual({ alias: "files", detached: true }); // prettier-ignore
    expect((await call("upstream_mcp_detach", { name: "files" }, OPERATOR)).structuredContent).toEqual({ alias: "files", detached: false }); // prettier-ignore
    await expect(call("files__ls")).rejects.toMatchObject({ code: "TOOL_NOT_FOUND" });
  });

  it("is for the operator alone, also where nobody has set an admin token [attach-operator]", async () => {
    const open = await attaching();
    await expect(open.call("upstream_mcp_attach", FILES)).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(open.call("upstream_mcp_attach", { ...FILES, adminToken: "x" })).rejects.toMatchObject({ code: "FORBIDDEN" }); // prettier-ignore
    await expect(open.call("tool_call", { name: "upstream_mcp_attach", arguments: FILES })).resolves.toMatchObject({ isError: true }); // prettier-ignore
    const closed = await attaching({ adminToken: "open sesame" });
    await expect(closed.call("upstream_mcp_attach", { ...FILES, adminToken: "no" })).rejects.toMatchObject({ code: "FORBIDDEN" }); // prettier-ignore
    expect(closed.asked).toEqual([]);
    await closed.call("upstream_mcp_attach", { ...FILES, adminToken: "open sesame" });
    expect(closed.asked).toHaveLength(1);
    expect(closed.view().find("tool", "upstream.mcp.attach")?.load().inputSchema["properties"]).toHaveProperty("adminToken"); // prettier-ignore
  });

  it.each<[string, JsonObject]>([
    ["nothing to connect to", { alias: "files" }],
    ["no command for stdio", { alias: "files", transport: "stdio", url: "http://127.0.0.1/mcp" }],
    ["both", { ...FILES, url: "http://127.0.0.1/mcp" }],
    ["a name that is too short", { ...FILES, alias: "ab" }],
    ["environment that is no text", { ...FILES, env: { A: 1 } }],
  ])("refuses %s", async (_what, args) => {
    const { call, asked } = await attaching();
    expect(await call("upstream_mcp_attach", args, OPERATOR)).toMatchObject({ _meta: { "dynamic-mcp/error": { code: "INVALID_ARGUMENTS" } } }); // prettier-ignore
    expect(asked).toEqual([]);
  });

  it("is not there unless the operator allows it", async () => {
    const { call, view } = await line({ profiles: ["full"] });
    expect(view().all("tool").filter(({ name }) => name.startsWith("upstream"))).toEqual([]); // prettier-ignore
    await expect(call("upstream_mcp_attach", FILES, OPERATOR)).rejects.toMatchObject({ code: "TOOL_NOT_FOUND" });
  });
});
