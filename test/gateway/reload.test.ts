import { rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { openAsking, untilListed } from "./asking.ts";
import { withGateway } from "./open-gateway.ts";
import { plain } from "./plain.ts";

const WAIT = { timeout: 10_000, interval: 30 };
const CHANGES = "notifications/tools/list_changed";

it("takes up what changes in its file, and touches nothing else [servers-reload]", async () => {
  await withGateway(
    { stays: plain(), changes: plain(), goes: plain() },
    async ({ url, program, rewrite, configFile, folder }) => {
      // prettier-ignore
      const client = await openAsking(url);
      await untilListed(client, "stays__pid", "changes__pid", "goes__pid");
      const stream = client.stream();
      await expect.poll(stream.status).toBe(200);
      const notices = () => stream.events.filter(({ method }) => method === CHANGES).length;
      const pidOf = async (name: string) => (await client.call(`${name}__pid`)).text;
      const [stays, changes] = [await pidOf("stays"), await pidOf("changes")];
      const before = notices();
      const sleeping = client.call("stays__sleep", { ms: 1_500 });

      await rewrite({ stays: plain(), changes: { ...plain(), env: { HINT: "new" } }, comes: plain() });
      await untilListed(client, "comes__echo");
      await expect.poll(client.names, WAIT).not.toContain("goes__pid");
      expect(program.log()).toContain("servers added: comes; changed: changes; removed: goes");
      expect((await client.call("changes__hint")).text).toBe("new");
      expect(await pidOf("changes")).not.toBe(changes);
      expect(await pidOf("stays")).toBe(stays);
      expect((await sleeping).text).toBe("slept 1500");
      expect(await client.call("goes__pid")).toMatchObject({ isError: true, code: "TOOL_NOT_FOUND" });
      await expect.poll(notices).toBeGreaterThan(before);
      expect(notices() - before).toBeLessThanOrEqual(2); // what goes, and what the new one has once it has said it

      // Half a file, then none of the format: what it said before stays, and is said once.
      await writeFile(configFile, '{"mcpServers": {"stays"');
      const refusals = () => program.log().split("cannot be used; what it said before stays").length - 1;
      await expect.poll(refusals, WAIT).toBe(1);
      await writeFile(configFile, JSON.stringify({ mcpServers: ["stays"] }));
      await expect.poll(refusals, WAIT).toBe(2);
      expect(await pidOf("stays")).toBe(stays);
      expect(await client.names()).toContain("comes__echo");

      // One server of them that cannot be used: it stays what it was.
      await rewrite({ stays: { command: 5 }, comes: { ...plain(), description: "Changed" } });
      await expect.poll(program.log, WAIT).toContain("what the file said of it before stays");
      await expect.poll(program.log, WAIT).toContain("servers changed: comes");
      expect(await pidOf("stays")).toBe(stays);

      // As editors write: another file takes its name.
      const aside = path.join(folder, ".dynamic-mcp.json.tmp");
      await writeFile(aside, JSON.stringify({ mcpServers: { stays: plain(), last: plain() } }));
      await rename(aside, configFile);
      await untilListed(client, "last__echo");
      await expect.poll(client.names, WAIT).not.toContain("comes__echo");
      expect(await pidOf("stays")).toBe(stays);

      // And once more, for whoever watches a file and not a name.
      await rewrite({ stays: plain() });
      await expect.poll(client.names, WAIT).not.toContain("last__echo");
      expect(await pidOf("stays")).toBe(stays);
      stream.close();
    },
  );
});

it("says once of several changes in one go that lists have changed", async () => {
  await withGateway({ one: plain() }, async ({ url, rewrite }) => {
    const client = await openAsking(url);
    await untilListed(client, "one__echo");
    const stream = client.stream();
    await expect.poll(stream.status).toBe(200);
    const before = stream.events.length;
    await rewrite({ one: { ...plain(), tools: { deny: ["s*"] }, description: "Fewer" } });
    await expect.poll(client.names, WAIT).not.toContain("one__sleep");
    await client.call("one__echo", { text: "later" });
    const told = stream.events.slice(before).map(({ method }) => method);
    expect(told).toEqual([CHANGES]);
    stream.close();
  });
});
