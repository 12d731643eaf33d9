/** Writes what is made from the source: reference pages, the JSON Schema of the configuration, environment templates. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { generated } from "./generated.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
for (const [path, text] of await generated(root)) {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
  process.stdout.write(`${path}\n`);
}
