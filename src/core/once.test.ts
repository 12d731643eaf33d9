import { describe, expect, it } from "vitest";
import { once } from "./once.ts";

describe("once", () => {
  it("makes a value at the first call and gives the same one ever after", () => {
    let made = 0;
    const get = once(() => ({ number: ++made }));
    expect(made).toBe(0);
    expect(get()).toBe(get());
    expect(made).toBe(1);
  });

  it("tries again after a promise that failed", async () => {
    let tries = 0;
    const get = once(async () => {
      if (++tries === 1) throw new Error("not yet");
      return tries;
    });
    await expect(get()).rejects.toThrow("not yet");
    expect(await get()).toBe(2);
    expect(await get()).toBe(2);
  });
});
