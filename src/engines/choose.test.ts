import { describe, expect, it } from "vitest";
import { DynamicMcpError } from "../core/errors.ts";
import { chooseEngine, packageImports, unknownImports, type EngineOffers, type EngineSetting, type Needs } from "./choose.ts"; // prettier-ignore

const NO_DAEMON = new DynamicMcpError("ENGINE_UNAVAILABLE", "no daemon answers; install Docker");
const NOTHING: EngineOffers = {
  docker: async () => NO_DAEMON,
  node: async () => ({ problem: "install bubblewrap, or set MCP_NODE_WITHOUT_JAIL" }),
};
const JAIL: EngineOffers = { ...NOTHING, node: async () => ({ level: "a jail" }) };
const ALL: EngineOffers = { ...JAIL, docker: async () => undefined };

const plain: Needs = { needsNode: [], dependencies: [] };
const zod = { name: "zod", version: "4" };
const choose = (needs: Partial<Needs>, setting: EngineSetting = "auto", offers = NOTHING) =>
  chooseEngine({ ...plain, ...needs }, setting, offers);
const text = (part: string) => expect.stringContaining(part) as string;
const refusal = (code: string, word: string) => expect.objectContaining({ code, message: text(word) }) as Error;

describe("the choice of an engine", () => {
  it.each(["auto", "quickjs", "node"] as const)("runs plain bodies in quickjs under %s where nothing else is", async (setting) => {
    expect(await choose({}, setting)).toMatchObject({ engine: "quickjs", level: text("WebAssembly") });
  }); // prettier-ignore

  it("takes plain bodies nowhere else under auto, whatever there is", async () => {
    expect(await choose({ image: "node:lts-slim" }, "auto", ALL)).toMatchObject({ engine: "quickjs", why: text("node:lts-slim") }); // prettier-ignore
  });

  it("takes docker for everything when the operator says docker, and nothing when it is not there", async () => {
    expect(await choose({}, "docker", ALL)).toMatchObject({ engine: "docker" });
    await expect(choose({}, "docker", JAIL)).rejects.toThrow(NO_DAEMON);
  });

  it("takes node for everything where it is held in, and says so where it is not", async () => {
    expect(await choose({}, "node", JAIL)).toMatchObject({ engine: "node", level: "a jail" });
    expect((await choose({}, "node")).why).toContain("bubblewrap");
    await expect(choose({ needsNode: ["process"] }, "node")).rejects.toThrow(refusal("ENGINE_UNAVAILABLE", "MCP_NODE_WITHOUT_JAIL")); // prettier-ignore
  });

  it("takes docker before node for the Node API and says why, and what stood in docker's way", async () => {
    expect(await choose({ needsNode: ["Buffer"] }, "auto", ALL)).toMatchObject({ engine: "docker", why: text("Buffer") }); // prettier-ignore
    expect(await choose({ needsNode: ["Buffer"] }, "auto", JAIL)).toMatchObject({ engine: "node", why: text("no daemon") }); // prettier-ignore
  });

  it.each([
    [{ needsNode: ["process"] }, "auto", "process"],
    [{ dependencies: [zod] }, "auto", "install Docker"],
    [{ needsNode: ["Buffer"] }, "quickjs", "quickjs engine only"],
  ] as const)("refuses %j under %s and names what to do", async (needs, setting, word) => {
    await expect(choose(needs, setting)).rejects.toThrow(refusal("ENGINE_UNAVAILABLE", word));
  });

  it("never runs an image that is not allowed somewhere else instead", async () => {
    const denied = new DynamicMcpError("IMAGE_NOT_ALLOWED", "evil:1 is not allowed");
    await expect(choose({ needsNode: ["Buffer"], image: "evil:1" }, "auto", { ...JAIL, docker: async () => denied })).rejects.toThrow(denied); // prettier-ignore
  });

  describe("for packages", () => {
    const needs = { dependencies: [zod], needsNode: ['import("zod")'] };

    it("stays in quickjs when they make a small bundle", async () => {
      expect(await choose({ ...needs, bundle: async () => undefined }, "auto", ALL)).toMatchObject({ engine: "quickjs", why: text("small") }); // prettier-ignore
    });

    it("goes on when they do not, with the reason", async () => {
      const large = { ...needs, bundle: async () => "the bundle has 500000 bytes" };
      expect(await choose(large, "auto", ALL)).toMatchObject({ engine: "docker", why: text("500000") });
      await expect(choose(large, "quickjs", ALL)).rejects.toThrow(refusal("ENGINE_UNAVAILABLE", "500000"));
    });

    it("does not try a bundle when the code needs Node anyway", async () => {
      const bundle = () => Promise.reject(new Error("must not be tried"));
      expect(await choose({ ...needs, needsNode: [...needs.needsNode, "process"], bundle }, "auto", ALL)).toMatchObject({ engine: "docker" }); // prettier-ignore
    });
  });
});

describe("what a body imports", () => {
  const needsNode = ['import("zod")', 'import("@s/a/b.js")', 'import("node:fs")', 'import("fs")', 'import("./x.js")', "import(...)", "process"]; // prettier-ignore
  const needs = { needsNode, dependencies: [zod, { name: "@s/a", version: "1" }] };

  it("is told apart: its packages, Node's modules, and what is neither", () => {
    expect(packageImports(needs)).toEqual(["zod", "@s/a/b.js"]);
    expect(unknownImports(needs)).toEqual(["./x.js"]);
    expect(unknownImports({ ...needs, dependencies: [] })).toEqual(["zod", "@s/a/b.js", "./x.js"]);
  });
});
