/** Bundles the program into `dist`: few files, minified, with source maps; start-up time is a feature. */
import { build } from "esbuild";
import { builtins } from "./builtins-plugin.ts";
import { leftOut } from "./left-out-plugin.ts";
import { quickjs } from "./quickjs-plugin.ts";
import { noticesFor } from "./notices.ts";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Built beside and renamed at the end: `dist` is never half there for whoever runs it meanwhile. */
const fresh = `dist.new-${process.pid}`;
const { version, engines } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
  version: string;
  engines: { node: string };
};

const shared = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  sourcemap: true,
  sourcesContent: false,
  platform: "node",
  format: "esm",
  target: "node22",
  outdir: fresh,
  // Licences are gathered whole, in one file.
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  define: {
    __VERSION__: JSON.stringify(version),
    // `>=22.23.3` says it all; main.ts refuses an older Node with one sentence.
    __MIN_NODE__: JSON.stringify(engines.node.replace(/[^\d.]/g, "")),
  },
  // Bundled CommonJS asks for `require` of Node's own modules.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
} as const;

/** Entries with a process or thread of their own: one file each, so that a sandbox has to be allowed to read just one. */
const alone = {
  "sqlite-writer": "src/store/sqlite/writer.ts",
  "schema-checker": "src/schemas/checker.ts",
  "quickjs-child": "src/engines/quickjs/child.ts",
  "package-installer": "src/machine/packages/installer.ts",
  "package-bundler": "src/engines/bundle/child.ts",
};
/** The same, with npm's libraries in it, which look for themselves by the names that CommonJS has for that. */
const withNpm = { "package-resolver": "src/machine/packages/resolver.ts" };
/** What runs in sandboxes with a Node that need not be ours: for any from 18 on, in the form that all take by its name. */
const inSandboxes = {
  "node-runner": "src/engines/process/runner/main.ts",
  "docker-supervisor": "src/machine/docker/supervisor.ts",
};
/** The program and the library share lazy chunks. */
const together = { main: "src/main.ts", dmcp: "src/dmcp.ts", index: "src/index.ts" };

const present = (entries: Record<string, string>) =>
  Object.fromEntries(Object.entries(entries).filter(([, path]) => existsSync(`${root}${path}`)));

await mkdir(`${root}${fresh}`);
try {
  const built = await Promise.all([
    build({
      ...shared,
      entryPoints: present(together),
      splitting: true,
      chunkNames: "chunk-[hash]",
      // Its main file asks for its parts in a way that no bundler follows (UMD).
      alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" },
      plugins: [builtins],
    }),
    build({ ...shared, entryPoints: present(alone), plugins: [quickjs(root)] }),
    build({
      ...shared,
      entryPoints: present(withNpm),
      banner: { js: `${shared.banner.js} const __dirname = import.meta.dirname, __filename = import.meta.filename;` },
      plugins: [leftOut],
      sourcemap: false, // larger than the code, and hardly a line of it is ours
    }),
    build({
      ...shared,
      entryPoints: present(inSandboxes),
      format: "cjs",
      target: "node18",
      outExtension: { ".js": ".cjs" },
      banner: {},
    }),
  ]);
  const inputs = built.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  await writeFile(`${root}${fresh}/THIRD_PARTY_NOTICES.txt`, noticesFor(root, inputs));
  await swapIn();
} finally {
  await rm(`${root}${fresh}`, { recursive: true, force: true });
}

/** Two builds at once may swap between each other's steps: the later one wins. */
async function swapIn(): Promise<void> {
  const old = `${root}dist.old-${process.pid}`;
  for (let tries = 1; ; tries++) {
    try {
      if (existsSync(`${root}dist`)) await rename(`${root}dist`, old);
      await rename(`${root}${fresh}`, `${root}dist`);
      break;
    } catch (error) {
      if (tries === 10) throw error;
    } finally {
      await rm(old, { recursive: true, force: true });
    }
  }
}
