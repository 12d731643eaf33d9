import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { generated } from "../scripts/generated.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

describe("generated files", async () => {
  const files = await generated(root);
  it.each([...files.keys()])("%s is what `npm run generate` makes", async (path) => {
    expect(await readFile(`${root}${path}`, "utf8")).toBe(files.get(path));
  });
});
