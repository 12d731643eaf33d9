import { setting } from "../setting.ts";

const DOCKER = "the docker engine exists";
const SHELLS = "sandbox sessions exist";

export const engines = {
  use: setting((z) => z.enum(["auto", "quickjs", "docker", "node"]), {
    default: "auto",
    about: "Where the code of tools runs; `auto` chooses for each tool when it is made, and says why.",
    env: "MCP_EXECUTION_ENGINE",
    flag: "--execution-engine",
    difference: "`auto` never falls back to a weaker engine in silence: it says what to install.",
  }),
  memoryMiB: setting((z) => z.int().min(8).max(1024), {
    default: 128,
    about: "Memory of one run in the quickjs engine.",
    env: "MCP_ENGINE_MEMORY_MIB",
    flag: "--engine-memory-mib",
    unit: "MiB",
  }),
  maxProcesses: setting((z) => z.int().min(1).max(64), {
    default: 4,
    about:
      "Most guests of the quickjs engine that compute at once, one process each; never more than the machine has cores. Guests that only wait come on top, up to 32.",
    env: "MCP_ENGINE_MAX_PROCESSES",
    flag: "--engine-max-processes",
  }),
  maxArgumentBytes: setting((z) => z.int().min(1024).max(67_108_864), {
    default: 4_194_304,
    about: "Largest arguments of one run, as JSON.",
    env: "MCP_ENGINE_MAX_ARGUMENT_BYTES",
    flag: "--engine-max-argument-bytes",
    unit: "bytes",
  }),
  maxLogBytes: setting((z) => z.int().min(0).max(1_048_576), {
    default: 65_536,
    about: "Console output of one run that is kept; the rest is dropped and counted.",
    env: "MCP_ENGINE_MAX_LOG_BYTES",
    flag: "--engine-max-log-bytes",
    unit: "bytes",
  }),
};

export const sandbox = {
  dockerBin: setting((z) => z.string().min(1).max(4096), {
    default: "docker",
    about: "The docker program.",
    env: "MCP_SANDBOX_DOCKER_BIN",
    flag: "--docker-bin",
    until: DOCKER,
  }),
  memoryMiB: setting((z) => z.int().min(16).max(1_048_576), {
    default: 512,
    about: "Memory of one container; variables and flags also take docker's notation, such as `512m` or `2g`.",
    env: "MCP_SANDBOX_MEMORY_LIMIT",
    flag: "--sandbox-memory",
    unit: "MiB",
    fromText: memoryMiB,
    until: DOCKER,
    difference: "A number without a unit is MiB, not bytes.",
  }),
  cpus: setting((z) => z.number().min(0.01).max(1024), {
    default: 1,
    about: "Processors of one container.",
    env: "MCP_SANDBOX_CPU_LIMIT",
    flag: "--sandbox-cpu",
    until: DOCKER,
  }),
  maxDependencies: setting((z) => z.int().min(0).max(256), {
    default: 32,
    about: "Most npm packages of one tool.",
    env: "MCP_SANDBOX_MAX_DEPENDENCIES",
    flag: "--sandbox-max-dependencies",
    until: DOCKER,
  }),
  maxOutputBytes: setting((z) => z.int().min(1024).max(67_108_864), {
    default: 4_194_304,
    about: "Largest result of one run, as JSON. A larger one is an error, never cut.",
    env: "MCP_SANDBOX_MAX_OUTPUT_BYTES",
    flag: "--sandbox-max-output-bytes",
    unit: "bytes",
    difference:
      "The default was 200000 and a larger result was cut; the bound was 10000000. Console output has a limit of its own.",
  }),
  maxTimeoutMs: setting((z) => z.int().min(1000).max(300_000), {
    default: 120_000,
    about: "Longest time limit that a tool may ask for.",
    env: "MCP_SANDBOX_MAX_TIMEOUT_MS",
    flag: "--sandbox-max-timeout-ms",
    unit: "ms",
  }),
  allowedImages: setting((z) => z.array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,199}$/)).max(1000), {
    default: ["node:lts-slim"],
    expects: "a list of container images, such as node:lts-slim, separated by commas",
    about: "Images that tools may name; empty allows any.",
    env: "MCP_SANDBOX_ALLOWED_IMAGES",
    flag: "--sandbox-allowed-images",
    emptyIsValue: true,
    until: DOCKER,
    difference: "Digests (`@sha256:...`) are possible.",
  }),
  blockedPackages: setting((z) => z.array(z.string().min(1).max(214)).max(10_000), {
    default: ["child_process", "node-pty", "npm", "pm2"],
    about: "npm packages that tools may not ask for.",
    env: "MCP_SANDBOX_BLOCKED_PACKAGES",
    flag: "--sandbox-blocked-packages",
    emptyIsValue: true,
    until: DOCKER,
  }),
  sessionTimeoutSeconds: setting((z) => z.int().min(1).max(172_800), {
    default: 1800,
    about: "A sandbox session that nobody used for this long ends.",
    env: "MCP_SANDBOX_SESSION_TIMEOUT_SECONDS",
    flag: "--sandbox-session-timeout-seconds",
    unit: "s",
    until: SHELLS,
  }),
  maxSessions: setting((z) => z.int().min(1).max(1000), {
    default: 20,
    about: "Most sandbox sessions at once.",
    env: "MCP_SANDBOX_MAX_SESSIONS",
    flag: "--sandbox-max-sessions",
    until: SHELLS,
  }),
};

export const guard = {
  maxConcurrency: setting((z) => z.int().min(1).max(10_000), {
    default: 64,
    about: "Most calls running at once, in the whole process. More are refused, not queued.",
    env: "MCP_TOOL_MAX_CONCURRENCY",
    flag: "--tool-max-concurrency",
    difference: "The default was 8, for each MCP session; sessions were unlimited, so it bounded nothing.",
  }),
  maxCallsPerWindow: setting((z) => z.int().min(1).max(1_000_000), {
    default: 300,
    about: "Most calls of one tool by one principal within the window.",
    env: "MCP_TOOL_MAX_CALLS_PER_WINDOW",
    flag: "--tool-max-calls-per-window",
    difference: "Counted for each principal, not for each MCP session. A call refused for concurrency uses up nothing.",
  }),
  windowMs: setting((z) => z.int().min(1).max(86_400_000), {
    default: 60_000,
    about: "Length of that window.",
    env: "MCP_TOOL_RATE_WINDOW_MS",
    flag: "--tool-rate-window-ms",
    unit: "ms",
  }),
};

export const upstreams = {
  attach: setting((z) => z.boolean(), {
    default: false,
    about: "Allows other MCP servers to be attached while this one runs.",
    env: "MCP_EXPERIMENTAL_UPSTREAM_MCP_ATTACH",
    flag: "--experimental-upstream-mcp-attach",
    until: "other servers can be attached",
  }),
  maxAttached: setting((z) => z.int().min(1).max(256), {
    default: 8,
    about: "Most servers attached at once.",
    env: "MCP_EXPERIMENTAL_UPSTREAM_MCP_ATTACH_MAX",
    flag: "--experimental-upstream-mcp-attach-max",
    until: "other servers can be attached",
  }),
};

const UNITS_MIB: Record<string, number> = { k: 1 / 1024, m: 1, g: 1024, t: 1024 * 1024 };

/** Reads `512m`, `2g`, `2GB`, `1GiB`. @returns MiB, rounded up */
function memoryMiB(text: string): number | undefined {
  const found = /^(\d{1,9})([kmgt])(i?b)?$/i.exec(text);
  const unit = UNITS_MIB[found?.[2]?.toLowerCase() ?? ""];
  return unit === undefined ? undefined : Math.ceil(Number(found?.[1]) * unit);
}
