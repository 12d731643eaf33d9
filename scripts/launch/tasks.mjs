/**
 * What each npm script runs. A step is a program of a dev dependency (`bin`) or a file of ours, with arguments;
 * what the user adds goes to the last step. Plain JavaScript for Node 14 and newer.
 */
const vitest = { title: "tests", bin: "vitest", args: ["run"] };
const typecheck = { title: "typecheck", bin: "typescript/tsc", args: ["-p", "."] };
const lint = [
  { title: "lint", bin: "oxlint", args: ["--deny-warnings"] },
  { title: "format", bin: "prettier", args: ["--check", "--log-level", "warn", "."] },
  { title: "dead code", bin: "knip", args: ["--no-progress"] },
];

/** @type {Record<string, { builds: boolean, steps: (args: string[]) => object[] }>} */
export const TASKS = {
  start: { builds: true, steps: () => [{ file: "dist/main.js", args: ["serve", "--transport", "http"] }] },
  demo: { builds: true, steps: () => [{ file: "scripts/demo.ts" }] },
  eval: { builds: false, steps: () => [{ file: "eval/run.ts" }] },
  bench: { builds: true, steps: () => [{ file: "bench/run.ts" }] },
  conformance: { builds: true, steps: () => [{ file: "test/conformance/run.ts" }] },
  soak: { builds: true, steps: () => [{ file: "test/soak/run.ts" }] },
  test: { builds: true, steps: () => lint.concat(typecheck, vitest) },
  lint: { builds: false, steps: () => lint },
  typecheck: { builds: false, steps: () => [typecheck] },
  format: {
    builds: false,
    steps: () => [{ title: "format", bin: "prettier", args: ["--write", "--log-level", "warn", "."] }],
  },
  generate: { builds: true, steps: () => [{ file: "scripts/generate.ts" }] },
  build: { builds: "always", steps: () => [] },
  // What is published also has the types of the library.
  prepack: {
    builds: "always",
    steps: () => [{ title: "types", bin: "typescript/tsc", args: ["-p", "tsconfig.types.json"] }],
  },
  // Only HTTP is watched: a client on stdio initializes once and cannot follow a restart, and the watcher's own
  // words go to stdout, where the protocol is spoken. Without --transport the program serves stdio.
  dev: {
    builds: true,
    steps: (args) => [
      {
        node: /(^|[ =])http( |$)/.test(args.join(" ")) ? ["--watch", "--watch-preserve-output"] : [],
        file: "src/main.ts",
      },
    ],
  },
};
