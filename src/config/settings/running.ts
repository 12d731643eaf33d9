import { setting } from "../setting.ts";

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
  nodeWithoutJail: setting((z) => z.boolean(), {
    default: false,
    about:
      "Lets the node engine run without a jail, with Node's permissions only, where no jail can be had. Not a security boundary: code can reach the network and this machine's services. For code that you would run yourself.",
    env: "MCP_NODE_WITHOUT_JAIL",
    flag: "--node-without-jail",
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
    about: "The docker program of the older system.",
    env: "MCP_SANDBOX_DOCKER_BIN",
    flag: "--docker-bin",
    obsolete: "the daemon is asked directly; `sandbox.dockerHost` says where it is",
    difference: "Accepted and not used: no program is started, the daemon's API is called.",
  }),
  // Whatever stands in DOCKER_HOST must not keep a server from starting that never needs it: the engine judges it.
  dockerHost: setting((z) => z.string().min(1).max(2000), {
    about:
      "Where the Docker daemon is, or one with the same API such as podman: `unix:///path`, `tcp://host:port` or `npipe://`; default: the usual sockets of this machine.",
    env: ["MCP_SANDBOX_DOCKER_HOST", "DOCKER_HOST"],
    flag: "--docker-host",
  }),
  dockerTlsVerify: setting((z) => z.boolean(), {
    default: false,
    about: "Talk TLS to a daemon at `tcp://`, and check its certificate.",
    env: ["MCP_SANDBOX_DOCKER_TLS_VERIFY", "DOCKER_TLS_VERIFY"],
    flag: "--docker-tls-verify",
  }),
  dockerCertPath: setting((z) => z.string().min(1).max(4096), {
    about: "Folder with `ca.pem`, `cert.pem` and `key.pem` for that.",
    env: ["MCP_SANDBOX_DOCKER_CERT_PATH", "DOCKER_CERT_PATH"],
    flag: "--docker-cert-path",
    isPath: true,
  }),
  runtime: setting((z) => z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/), {
    about: "Container runtime, as the daemon names it: `runsc` for gVisor; default: the daemon's own.",
    expects: "the name of a runtime that the daemon knows",
    env: "MCP_SANDBOX_RUNTIME",
    flag: "--sandbox-runtime",
  }),
  imagePull: setting((z) => z.enum(["missing", "never", "always"]), {
    default: "missing",
    about: "When an allowed image is pulled from its registry.",
    env: "MCP_SANDBOX_IMAGE_PULL",
    flag: "--sandbox-image-pull",
  }),
  allowedImages: setting((z) => z.array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,199}$/)).max(1000), {
    default: ["node:lts-slim"],
    expects: "a list of container images, such as node:lts-slim, separated by commas",
    about: "Images that tools and shells may name; the first is the default. Empty allows any.",
    env: "MCP_SANDBOX_ALLOWED_IMAGES",
    flag: "--sandbox-allowed-images",
    emptyIsValue: true,
    difference: "Digests (`@sha256:...`) are possible.",
  }),
  memoryMiB: setting((z) => z.int().min(16).max(1_048_576), {
    default: 512,
    about:
      "Memory of one sandbox of the docker or node engine, and of a shell; variables and flags also take docker's notation, such as `512m` or `2g`.",
    env: "MCP_SANDBOX_MEMORY_LIMIT",
    flag: "--sandbox-memory",
    unit: "MiB",
    fromText: memoryMiB,
    difference: "A number without a unit is MiB, not bytes.",
  }),
  cpus: setting((z) => z.number().min(0.01).max(1024), {
    default: 1,
    about: "Processors of one sandbox of the docker or node engine, and of a shell.",
    env: "MCP_SANDBOX_CPU_LIMIT",
    flag: "--sandbox-cpu",
  }),
  maxSandboxes: setting((z) => z.int().min(1).max(1000), {
    default: 16,
    about: "Most containers, or jailed processes, that run code at once, warm ones included. Further calls wait.",
    env: "MCP_SANDBOX_MAX_SANDBOXES",
    flag: "--sandbox-max-sandboxes",
  }),
  warm: setting((z) => z.int().min(0).max(64), {
    default: 2,
    about: "How many sandboxes of each kind are kept ready; those that nobody asks for end after five minutes.",
    env: "MCP_SANDBOX_WARM",
    flag: "--sandbox-warm",
  }),
  reuse: setting((z) => z.enum(["none", "process"]), {
    default: "none",
    about:
      "`process` lets calls of one tool by one principal follow each other in the same process of a container: faster, and what one call leaves behind the next one sees.",
    env: "MCP_SANDBOX_REUSE",
    flag: "--sandbox-reuse",
  }),
  maxOutputBytes: setting((z) => z.int().min(1024).max(67_108_864), {
    default: 4_194_304,
    about:
      "Largest result of one run, as JSON. A larger one is an error, never cut. Also the most that a shell's commands may print.",
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
  sessionTimeoutSeconds: setting((z) => z.int().min(1).max(172_800), {
    default: 1800,
    about: "A shell that nobody used for this long ends.",
    env: "MCP_SANDBOX_SESSION_TIMEOUT_SECONDS",
    flag: "--sandbox-session-timeout-seconds",
    unit: "s",
  }),
  sessionMaxAgeSeconds: setting((z) => z.int().min(1).max(2_592_000), {
    default: 28_800,
    about: "A shell ends this long after its start, used or not.",
    env: "MCP_SANDBOX_SESSION_MAX_AGE_SECONDS",
    flag: "--sandbox-session-max-age-seconds",
    unit: "s",
  }),
  maxSessions: setting((z) => z.int().min(1).max(1000), {
    default: 20,
    about: "Most shells at once.",
    env: "MCP_SANDBOX_MAX_SESSIONS",
    flag: "--sandbox-max-sessions",
  }),
  maxSessionsPerPrincipal: setting((z) => z.int().min(1).max(1000), {
    default: 20,
    about: "Most shells at once of one principal.",
    env: "MCP_SANDBOX_MAX_SESSIONS_PER_PRINCIPAL",
    flag: "--sandbox-max-sessions-per-principal",
  }),
  allowedHosts: setting((z) => z.array(z.string().min(1).max(260)).max(1000), {
    default: [],
    expects: "a list of hosts, such as api.example.com, *.example.org or api.example.com:8443, separated by commas",
    about:
      "Hosts that tools may reach with `fetch`, each within its own list; empty: none, `*`: any public one. Private addresses stay refused.",
    env: "MCP_SANDBOX_ALLOWED_HOSTS",
    flag: "--sandbox-allowed-hosts",
  }),
  allowedAddresses: setting((z) => z.array(z.string().min(1).max(64)).max(1000), {
    default: [],
    expects: "a list of address ranges, such as 10.1.0.0/16, separated by commas",
    about: "Private address ranges that `fetch` may reach all the same, when the host is allowed.",
    env: "MCP_SANDBOX_ALLOWED_ADDRESSES",
    flag: "--sandbox-allowed-addresses",
  }),
  maxFetchBytes: setting((z) => z.int().min(1024).max(33_554_432), {
    default: 10_485_760,
    about: "Largest body that `fetch` sends or takes, decoded.",
    env: "MCP_SANDBOX_MAX_FETCH_BYTES",
    flag: "--sandbox-max-fetch-bytes",
    unit: "bytes",
  }),
  fetchTimeoutMs: setting((z) => z.int().min(100).max(300_000), {
    default: 30_000,
    about: "Longest time of one `fetch`, redirects included.",
    env: "MCP_SANDBOX_FETCH_TIMEOUT_MS",
    flag: "--sandbox-fetch-timeout-ms",
    unit: "ms",
  }),
};

export const packages = {
  maxDependencies: setting((z) => z.int().min(0).max(256), {
    default: 32,
    about: "Most npm packages that one tool may name; what these depend on comes on top.",
    env: "MCP_SANDBOX_MAX_DEPENDENCIES",
    flag: "--sandbox-max-dependencies",
  }),
  allowed: setting((z) => z.array(z.string().min(1).max(214)).max(10_000), {
    default: [],
    expects: "a list of package names or patterns, such as zod or @scope/*, separated by commas",
    about: "npm packages that tools may use, those that packages depend on included; empty: all that are not blocked.",
    env: "MCP_SANDBOX_ALLOWED_PACKAGES",
    flag: "--sandbox-allowed-packages",
  }),
  blocked: setting((z) => z.array(z.string().min(1).max(214)).max(10_000), {
    default: ["child_process", "node-pty", "npm", "pm2"],
    about: "npm packages that no tool may use, neither itself nor through another package.",
    env: "MCP_SANDBOX_BLOCKED_PACKAGES",
    flag: "--sandbox-blocked-packages",
    emptyIsValue: true,
    difference: "Also holds for packages that other packages depend on.",
  }),
  maxInstalledMiB: setting((z) => z.int().min(1).max(10_240), {
    default: 200,
    about: "Most that the packages of one tool may take, unpacked.",
    env: "MCP_PACKAGES_MAX_MIB",
    flag: "--packages-max-mib",
    unit: "MiB",
  }),
  maxFiles: setting((z) => z.int().min(1).max(1_000_000), {
    default: 20_000,
    about: "Most files in the packages of one tool.",
    env: "MCP_PACKAGES_MAX_FILES",
    flag: "--packages-max-files",
  }),
  dir: setting((z) => z.string().min(1).max(4096), {
    derived: {
      text: "`packages` in the data folder",
      from: (known) => known.join(String(known.get("server.dataDir")), "packages"),
    },
    about: "Folder of installed packages; it can be deleted while nothing runs.",
    env: "MCP_PACKAGES_DIR",
    flag: "--packages-dir",
    isPath: true,
  }),
  cacheMiB: setting((z) => z.int().min(1).max(1_048_576), {
    default: 2048,
    about: "How large that folder may grow; what was not used for longest goes first.",
    env: "MCP_PACKAGES_CACHE_MIB",
    flag: "--packages-cache-mib",
    unit: "MiB",
  }),
  registry: setting((z) => z.url().max(2000), {
    about: "npm registry; default: the one of `.npmrc` and of npm's variables, else npm's own.",
    env: "MCP_PACKAGES_REGISTRY",
    flag: "--packages-registry",
  }),
};

export const secrets = {
  allowed: setting((z) => z.array(z.string().regex(/^[A-Za-z_*][A-Za-z0-9_*]{0,127}$/)).max(1000), {
    default: [],
    expects: "a list of names, such as GITHUB_TOKEN or WEATHER_*, separated by commas",
    about:
      "Names of secrets that tools may read, besides those kept with `secret set`. Values come from variables `MCP_SECRET_<name>` or files.",
    env: "MCP_SANDBOX_SECRETS",
    flag: "--sandbox-secrets",
  }),
  dir: setting((z) => z.string().min(1).max(4096), {
    about: "Folder with one file for each secret, such as `/run/secrets`.",
    env: "MCP_SECRETS_DIR",
    flag: "--secrets-dir",
    isPath: true,
  }),
  key: setting((z) => z.string().min(16).max(4096), {
    about:
      "Seals the secrets that are kept in the store: 32 bytes in base64 or hex, or a long passphrase; default: a key file in the data folder.",
    env: "MCP_SECRET_KEY",
    flag: "--secret-key",
    isSecret: true,
  }),
};

export const guard = {
  maxConcurrency: setting((z) => z.int().min(1).max(10_000), {
    default: 256,
    about: "Most calls running at once, in the whole process. More are refused, not queued.",
    env: "MCP_TOOL_MAX_CONCURRENCY",
    flag: "--tool-max-concurrency",
    difference: "The default was 8, for each MCP session; sessions were unlimited, so it bounded nothing.",
  }),
  maxCallsPerWindow: setting((z) => z.int().min(1).max(1_000_000), {
    default: 10_000,
    about:
      "Most calls of one tool by one principal within the window: a brake for programs that run away, not a quota.",
    env: "MCP_TOOL_MAX_CALLS_PER_WINDOW",
    flag: "--tool-max-calls-per-window",
    difference:
      "The default was 300. Counted for each principal, not for each MCP session. A call refused for concurrency uses up nothing.",
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
  watch: setting((z) => z.boolean(), {
    default: true,
    about: "Watches the configuration file, so that servers come, change and go while this one runs.",
    env: "MCP_UPSTREAM_WATCH",
    flag: "--upstream-watch",
  }),
  connectTimeoutMs: setting((z) => z.int().min(100).max(3_600_000), {
    default: 30_000,
    about: "How long a server may take from its start to its lists, unless its own `timeout` says so.",
    env: "MCP_UPSTREAM_CONNECT_TIMEOUT_MS",
    flag: "--upstream-connect-timeout-ms",
    unit: "ms",
  }),
  maxMessageBytes: setting((z) => z.int().min(65_536).max(536_870_912), {
    default: 33_554_432,
    about: "Largest message that is read from a server; a larger one fails its request and nothing else.",
    env: "MCP_UPSTREAM_MAX_MESSAGE_BYTES",
    flag: "--upstream-max-message-bytes",
    unit: "bytes",
  }),
  maxServers: setting((z) => z.int().min(1).max(10_000), {
    default: 1000,
    about: "Most servers altogether.",
    env: "MCP_UPSTREAM_MAX_SERVERS",
    flag: "--upstream-max-servers",
  }),
  attach: setting((z) => z.boolean(), {
    default: false,
    about: "Lets those who prove to be the operator attach other MCP servers by a tool; needs an admin token.",
    env: "MCP_EXPERIMENTAL_UPSTREAM_MCP_ATTACH",
    flag: "--experimental-upstream-mcp-attach",
    difference: "The tools of an attached server can be called at once; the older system only kept its address.",
  }),
  maxAttached: setting((z) => z.int().min(1).max(256), {
    default: 8,
    about: "Most servers attached at once.",
    env: "MCP_EXPERIMENTAL_UPSTREAM_MCP_ATTACH_MAX",
    flag: "--experimental-upstream-mcp-attach-max",
  }),
};

const UNITS_MIB: Record<string, number> = { k: 1 / 1024, m: 1, g: 1024, t: 1024 * 1024 };

/** Reads `512m`, `2g`, `2GB`, `1GiB`. @returns MiB, rounded up */
function memoryMiB(text: string): number | undefined {
  const found = /^(\d{1,9})([kmgt])(i?b)?$/i.exec(text);
  const unit = UNITS_MIB[found?.[2]?.toLowerCase() ?? ""];
  return unit === undefined ? undefined : Math.ceil(Number(found?.[1]) * unit);
}
