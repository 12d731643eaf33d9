import { describe, expect, it } from "vitest";
import { chooseEngine, type EngineSetting, type Needs } from "./choose.ts";

const plain: Needs = { needsNode: [], dependencies: [] };
const choose = (needs: Partial<Needs>, setting: EngineSetting = "auto") =>
  chooseEngine({ ...plain, ...needs }, setting, ["quickjs"]);

describe("the choice of an engine", () => {
  it.each(["auto", "quickjs", "node"] as const)("runs plain bodies in quickjs when the setting is %s", (setting) => {
    expect(choose({}, setting)).toMatchObject({
      engine: "quickjs",
      level: expect.stringContaining("WebAssembly") as string,
    });
  });

  it("takes an image as a preference and says so", () => {
    expect(choose({ image: "node:lts-slim" })).toMatchObject({ engine: "quickjs", why: expect.stringContaining("node:lts-slim") as string }); // prettier-ignore
  });

  it("says so when the operator asked for node", () => {
    expect(choose({}, "node").why).toContain("node engine");
  });

  it.each([
    [{ needsNode: ["process"] }, "auto", "process"],
    [{ needsNode: ["Buffer"] }, "quickjs", "Buffer"],
    [{ dependencies: [{ name: "zod", version: "4" }] }, "auto", "zod"],
    [{ needsNode: ["require"] }, "node", "opt in"],
    [{}, "docker", "--execution-engine"],
  ] as const)("refuses %j under %s and names what to do", (needs, setting, word) => {
    expect(() => choose(needs, setting)).toThrow(
      expect.objectContaining({
        code: "ENGINE_UNAVAILABLE",
        message: expect.stringContaining(word) as string,
      }) as Error,
    );
  });
});
