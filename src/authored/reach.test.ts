import { describe, expect, it } from "vitest";
import { Deadline } from "../core/deadline.ts";
import type { JsonObject } from "../core/json.ts";
import * as zod from "../core/zod.ts";
import type { ExecutionEngine, Job } from "../engines/engine.ts";
import { createAuthored } from "./create-authored.ts";
import { runOnceDraft, toolDraft, toolPatch } from "./definition.ts";
import { createTestServices } from "./fixtures/services.ts";

const by = { principal: "alice", deadline: new Deadline(60_000) };
const patch = (fields: JsonObject) => toolPatch(zod).parse(fields);

async function open(run: ExecutionEngine["run"]) {
  const { services, engine } = createTestServices();
  const jobs: Job[] = [];
  const recording: ExecutionEngine = { ...engine, run: (job, host, deadline) => (jobs.push(job), run(job, host, deadline)) }; // prettier-ignore
  const secrets = { get: async () => "s3cret-value" };
  const authored = await createAuthored({ ...services, secrets, engines: { quickjs: recording } });
  const once = (fields: JsonObject) => authored.runOnce(runOnceDraft(zod).parse({ code: "return 1", ...fields }), by);
  return { ...authored, jobs, once };
}

const FACTS = { logs: [], logBytesDropped: 0, wallMs: 1 };
const one: ExecutionEngine["run"] = async () => ({ state: "done", resultJson: "1", ...FACTS });

describe("what a tool may reach", () => {
  it("is nothing, unless it was made with more", async () => {
    const world = await open(one);
    const tool = toolDraft(zod).parse({ name: "t", description: "d", code: "return 1", examples: [{ args: {} }] });
    await world.tools.create(tool, by);
    expect(world.jobs.at(-1)?.may).toEqual({ callTools: false, fetch: false, readSecrets: false });
    const more = { network: ["a.example"], secrets: ["KEY"], uses: ["x.*"] };
    expect((await world.tools.update("t", patch(more), by)).tool).toMatchObject({ revision: 2, ...more });
    // What may be reached is part of how it runs: the examples ran again.
    expect(world.jobs).toHaveLength(2);
    expect(world.jobs.at(-1)?.may).toEqual({ callTools: true, fetch: true, readSecrets: true });
    expect((await world.tools.update("t", patch({ uses: null }), by)).tool).not.toHaveProperty("uses");
  });

  it("is run as deep in calls as whoever asks for it", async () => {
    const world = await open(one);
    await world.once({});
    expect(world.jobs.at(-1)?.depth).toBe(0);
    await world.runOnce(runOnceDraft(zod).parse({ code: "return 1" }), { ...by, depth: 3 });
    expect(world.jobs.at(-1)?.depth).toBe(3);
  });

  it("is refused beyond that, whatever the sandbox asks for", async () => {
    const world = await open(async (_job, host) => {
      const asked = await Promise.allSettled([
        host.call("secrets.get", { name: "OTHER" }, 0),
        host.call("fetch", { url: "https://b.example/" }, 1),
        host.call("tools.call", { name: "y", args: {} }, 2),
      ]);
      const codes = asked.map((each) => (each.status === "rejected" ? (each.reason as { code: string }).code : "done"));
      return { state: "done", resultJson: JSON.stringify(codes), ...FACTS };
    });
    const result = await world.once({ secrets: ["KEY"], uses: ["x.*"] });
    expect(result.structuredContent).toEqual({ result: ["SECRET_REFUSED", "CAPABILITY_MISSING", "FORBIDDEN"] });
  });

  it("shows no secret in what comes back: result, console, error [secret-hidden]", async () => {
    const read: ExecutionEngine["run"] = async ({ program }, host) => {
      const value = String(await host.call("secrets.get", { name: "KEY" }, 0));
      const facts = { ...FACTS, logs: [{ level: "log" as const, text: `got ${value}` }] };
      if (program.js.startsWith("throw"))
        return { state: "failed", code: "CODE_THREW", message: `bad ${value}`, ...facts };
      return { state: "done", resultJson: JSON.stringify({ [value]: [value, btoa(value)] }), ...facts };
    };
    const world = await open(read);
    for (const code of ["return 1", "throw 1"]) {
      const result = await world.once({ code, secrets: ["KEY"] });
      expect(JSON.stringify(result)).toContain("***");
      expect(JSON.stringify(result)).not.toContain("s3cret-value");
      expect(JSON.stringify(result)).not.toContain(btoa("s3cret-value"));
    }
  });
});
