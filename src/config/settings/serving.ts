import { setting } from "../setting.ts";

export const server = {
  profiles: setting(
    (z) =>
      z
        .array(z.enum(["mvp", "enterprise", "gateway", "proxy", "full"]))
        .min(1)
        .max(5),
    {
      default: ["mvp"],
      about:
        "Which built-in tools are listed beside those of other servers; several are united. `proxy`: only the two that call tools by groups; `gateway`: those that find and call.",
      env: "MCP_PROFILE",
      flag: "--profile",
      difference: "One profile only could be given.",
      production: "enterprise",
    },
  ),
  transport: setting((z) => z.enum(["stdio", "http"]), {
    default: "stdio",
    about: "How clients connect: they start the program (stdio), or reach it over Streamable HTTP (http).",
    env: "MCP_TRANSPORT",
    flag: "--transport",
    production: "http",
  }),
  dataDir: setting((z) => z.string().min(1).max(4096), {
    derived: {
      text: "the folder of `store.importFrom` if that is set, else the platform's folder for user data",
      from: (known) => {
        const older = known.get("store.importFrom");
        return typeof older === "string" ? known.dirname(older) : known.platformDataDir;
      },
    },
    about: "Folder of the store, the audit file and, if there is one, `dynamic-mcp.json`.",
    env: "MCP_DATA_DIR",
    flag: "--data-dir",
    isPath: true,
    production: "/var/lib/dynamic-mcp",
  }),
  shutdownGraceMs: setting((z) => z.int().min(0).max(300_000), {
    default: 10_000,
    about: "How long calls under way may go on after a request to stop.",
    env: "MCP_SHUTDOWN_GRACE_MS",
    flag: "--shutdown-grace-ms",
    unit: "ms",
  }),
  packs: setting((z) => z.array(z.string().min(1).max(4096)).max(100), {
    default: [],
    about: "ES modules with packs of tools, prompts and resources to load; the flag may be repeated.",
    env: "MCP_PACKS",
    flag: "--pack",
    isPath: true,
  }),
  omitPacks: setting((z) => z.array(z.string().min(1).max(200)).max(100), {
    default: [],
    about: "Handler packages of the older server to leave out.",
    env: "OMIT_HANDLERS",
    flag: "--omit-handlers",
    until: "user and tool management exist",
  }),
  displayName: setting((z) => z.string().min(1).max(200), {
    default: "dynamic-mcp",
    about: "Name of this server in mails and on the console.",
    env: ["MCP_SERVER_NAME", "SERVER_NAME"],
    flag: "--server-name",
    until: "mails to users exist",
    difference: "The default was `dynamic-mcp-server`.",
  }),
  displayVersion: setting((z) => z.string().min(1).max(100), {
    about: "Version of this server in mails and on the console.",
    env: "SERVER_VERSION",
    flag: "--server-version",
    until: "mails to users exist",
    difference: "Clients are always told the version of the program itself.",
  }),
  publicUrl: setting((z) => z.url().max(2000), {
    about: "Address under which clients reach this server, for mails and discovery documents.",
    env: "MCP_SERVER_URL",
    flag: "--server-url",
    until: "mails to users exist",
  }),
};

export const http = {
  host: setting((z) => z.string().regex(/^[A-Za-z0-9.:_%[\]-]{1,253}$/), {
    default: "127.0.0.1",
    expects: "a host name or address",
    about: "Address to listen on. Others than loopback need authentication or `--allow-unauthenticated`.",
    env: "MCP_HOST",
    flag: "--host",
  }),
  port: setting((z) => z.int().min(0).max(65_535), {
    default: 8788,
    about: "TCP port to listen on; 0 picks a free one.",
    env: ["MCP_PORT", "PORT"],
    flag: "--port",
    difference: "0 was refused. The default of dynamic-mcp-server was 4001.",
  }),
  path: setting((z) => z.string().regex(/^\/[A-Za-z0-9._~/-]{0,199}$/), {
    default: "/mcp",
    expects: "a path that starts with a slash, such as /mcp",
    about: "Path of the MCP endpoint, starting with a slash.",
    env: "MCP_PATH",
    flag: "--path",
  }),
  sessionTtlSeconds: setting((z) => z.int().min(1).max(604_800), {
    default: 1800,
    about: "An MCP session that nobody used for this long is forgotten; an open stream counts as use.",
    env: "MCP_HTTP_SESSION_TTL_SECONDS",
    flag: "--http-session-ttl-seconds",
    unit: "s",
    difference: "An open stream did not count as use.",
  }),
  maxRequestBytes: setting((z) => z.int().min(1024).max(67_108_864), {
    default: 4_194_304,
    about: "Largest body of a request.",
    env: "MCP_HTTP_MAX_REQUEST_BYTES",
    flag: "--http-max-request-bytes",
    unit: "bytes",
    difference: "Default and bound were 102400, too little for the code that a tool may have.",
  }),
  maxSessions: setting((z) => z.int().min(1).max(1_000_000), {
    default: 10_000,
    about: "Most MCP sessions at once.",
    env: "MCP_HTTP_MAX_SESSIONS",
    flag: "--http-max-sessions",
  }),
  allowUnauthenticated: setting((z) => z.boolean(), {
    default: false,
    about: "Listen on an address that others reach although nobody has to prove who they are.",
    env: "MCP_ALLOW_UNAUTHENTICATED",
    flag: "--allow-unauthenticated",
  }),
  allowedHosts: setting((z) => z.array(z.string().regex(/^[A-Za-z0-9.:_[\]-]{1,260}$/)).max(1000), {
    default: [],
    expects: "a list of host names, such as mcp.example.com:8788, separated by commas",
    about: "Further values of the Host header to answer to, with or without a port, such as `mcp.example.com`.",
    env: "MCP_ALLOWED_HOSTS",
    flag: "--allowed-hosts",
  }),
  allowedOrigins: setting((z) => z.array(z.string().regex(/^(null|[a-z][a-z0-9+.-]*:\/\/[^\s/]{1,260})$/)).max(1000), {
    default: [],
    expects: "a list of origins, such as https://app.example.com, separated by commas",
    about: "Further web origins that may call, such as `https://app.example.com`.",
    env: "MCP_ALLOWED_ORIGINS",
    flag: "--allowed-origins",
  }),
  sse: setting((z) => z.boolean(), {
    default: false,
    about: "Serves clients of 2024-11-05 too, over HTTP+SSE at `/sse`.",
    env: "MCP_HTTP_SSE",
    flag: "--http-sse",
  }),
  apiKeyHeader: setting((z) => z.string().regex(/^[A-Za-z0-9-]{1,64}$/), {
    default: "x-apikey",
    expects: "the name of a header: letters, digits and hyphens",
    about: "Header that carries a user's API key.",
    env: "MCP_API_KEY_HEADER",
    flag: "--api-key-header",
    until: "users with API keys exist",
    difference: "Was documented but not read by the older server.",
  }),
};

export const log = {
  level: setting((z) => z.enum(["debug", "info", "warn", "error", "silent"]), {
    default: "info",
    about: "How much is logged, on stderr; `debug` shows JSON-RPC messages with secrets removed.",
    env: ["MCP_LOG_LEVEL", "LOG_LEVEL"],
    flag: "--log-level",
    words: {
      http: "info",
      verbose: "debug",
      trace: "debug",
      silly: "debug",
      notice: "info",
      warning: "warn",
      fatal: "error",
    },
    difference: "`http` means `info`, and `verbose`, `trace` and `silly` mean `debug`.",
    production: "info",
  }),
  file: setting((z) => z.string().min(1).max(4096), {
    about: "Folder for log files.",
    env: "LOG_FILE_PATH",
    flag: "--log-file-path",
    isPath: true,
    until: "log files exist",
    difference: "The older server read it and never used it either. Logs go to stderr.",
  }),
};
