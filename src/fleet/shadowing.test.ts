import { describe, expect, it } from "vitest";
import { known, openFleet, rawServer, run, testClient } from "./fixtures/open-fleet.ts";
import { Claims } from "./claims.ts";

const tool = (name: string) => ({ name, inputSchema: { type: "object" } });
const { caller } = testClient();

describe("a server cannot take", () => {
  it.each([
    ["aaa", "", "good__read", "good", "read"],
    ["aaa", "good", "read", "good", "read"],
    ["good", "good", "x__y", "good__x", "y"],
  ])("the name of another's tool: %s with prefix %j lists %s", async (taker, prefix, listed, owner, own) => {
    await using fleet = openFleet([
      rawServer(taker, { extra: [tool(listed)] }, { prefix, tools: { allow: [listed], deny: [], rename: {} } }),
      rawServer(owner, { extra: [tool(own)] }, { tools: { allow: [own], deny: [], rename: {} } }),
    ]);
    await known(fleet, taker, owner);
    const tools = fleet.source.items("tool", caller);
    expect(tools.find(({ name }) => name === `${owner}__${own}`)?.group).toBe(owner);
    expect(tools).toHaveLength(2);
  });

  it("a resource that another has listed before", async () => {
    const [later, first] = [rawServer("aaa"), rawServer("good", { instructions: "first" })];
    await using fleet = openFleet([first]);
    await known(fleet, "good");
    fleet.apply([first, later]);
    await known(fleet, "aaa");
    const resources = fleet.source.items("resource", caller).filter(({ name }) => name === "raw://one");
    expect(resources.map(({ id }) => id)).toEqual(["good/resources/raw://one"]);
    expect(await run(fleet, { kind: "resource", id: resources[0]?.id ?? "", uri: "raw://one" })).toHaveProperty("contents"); // prettier-ignore
  });

  it("what another has handed out, as long as that is there", () => {
    const there = new Set(["good", "bad"]);
    const claims = new Claims((server) => there.has(server));
    const result = { content: [{ type: "resource_link", uri: "doc://1", name: "one" }] };
    claims.note(result, "good", "local");
    claims.note(result, "bad", "local");
    expect(claims.serverOf("doc://1", "local")).toBe("good");
    there.delete("good");
    claims.note(result, "bad", "local");
    expect(claims.serverOf("doc://1", "local")).toBe("bad");
  });
});
