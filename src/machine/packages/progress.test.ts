import { expect, it } from "vitest";
import { createProgress } from "./progress.ts";

it("progress is told at once, then again and again until it stops", async () => {
  const heard: string[] = [];
  const progress = createProgress((message) => void heard.push(message), 5);
  progress.tell("fetching");
  expect(heard).toEqual(["fetching"]);
  await expect.poll(() => heard).toContain("fetching (for 0 s now)");
  progress.note("1 of 2");
  await expect.poll(() => heard.at(-1)).toMatch(/^1 of 2 \(for/);
  progress.stop();
  progress.stop();
  const before = heard.length;
  // Another one's time comes five times, and this one's not once.
  let times = 0;
  const beside = createProgress(() => void times++, 5);
  beside.tell("beside");
  await expect.poll(() => times).toBeGreaterThan(5);
  beside.stop();
  expect(heard).toHaveLength(before);
});
