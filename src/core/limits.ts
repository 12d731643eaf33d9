/** Bounds that are part of the contract with users. Those an operator may change are settings, in `config/`. */
export const LIMITS = {
  titleChars: 120,
  descriptionChars: 4_000,
  imageChars: 200,
  codeChars: 200_000,
  dependencies: 64,
  versionChars: 128,
  hosts: 100,
  hostChars: 260,
  secrets: 64,
  uses: 100,
  usesChars: 128,
  schemaBytes: 100_000,
  schemaDepth: 32,
  examples: 20,
  exampleBytes: 100_000,
  timeoutMs: { min: 100, max: 300_000, default: 30_000 },
  /** Calls within calls, so that a tool that calls itself ends. */
  callDepth: 16,
} as const;
