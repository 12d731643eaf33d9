import { describe, expect, it } from "vitest";
import { DynamicMcpError } from "../core/errors.ts";
import { bareMachine } from "./fixtures/machine.ts";
import { loadSettings } from "./load.ts";
import { type Leaf, leaves } from "./schema.ts";

/**
 * Every variable and flag of the two older systems. Each has the same meaning here, or a difference that the reference
 * page names. "Same" is: the same default, and what was allowed is allowed.
 */
interface Older {
  env: string;
  flag?: string;
  key: string;
  /** What the older system did without it; `unset` when it had no value. */
  default: unknown;
  /** Values that were allowed, the outermost ones among them, and what they have to become. */
  allowed: readonly (readonly [text: string, value: unknown])[];
  /** Was refused, and still is. */
  refused?: readonly string[];
  /** Values that were allowed and are refused now; `difference` has to say so. */
  refusedNow?: readonly string[];
}

const unset = undefined;
const whole = (least: number, most: number) => [[String(least), least], [String(most), most]] as const; // prettier-ignore
const yes = [["1", true], ["true", true], ["yes", true], ["on", true], ["0", false], ["false", false], ["no", false], ["off", false]] as const; // prettier-ignore

/** mcpland/dynamic-mcp 0.4.1: variable, flag, default, bounds. */
const DYNAMIC_MCP: readonly Older[] = [
  { env: "MCP_PROFILE", flag: "--profile", key: "server.profiles", default: ["mvp"], allowed: [["mvp", ["mvp"]], ["enterprise", ["enterprise"]]], refused: ["small"] },
  { env: "MCP_TRANSPORT", flag: "--transport", key: "server.transport", default: "stdio", allowed: [["stdio", "stdio"], ["http", "http"]], refused: ["sse"] },
  { env: "MCP_HOST", flag: "--host", key: "http.host", default: "127.0.0.1", allowed: [["0.0.0.0", "0.0.0.0"], ["::1", "::1"], ["my.host", "my.host"]] },
  { env: "MCP_PORT", flag: "--port", key: "http.port", default: 8788, allowed: whole(1, 65_535), refused: ["99abc", "65536"] },
  { env: "PORT", key: "http.port", default: 8788, allowed: whole(1, 65_535), refused: ["99abc"] },
  { env: "MCP_PATH", flag: "--path", key: "http.path", default: "/mcp", allowed: [["/a/b", "/a/b"]] },
  { env: "MCP_HTTP_SESSION_TTL_SECONDS", flag: "--http-session-ttl-seconds", key: "http.sessionTtlSeconds", default: 1800, allowed: whole(1, 604_800), refused: ["0", "604801"] },
  { env: "MCP_HTTP_MAX_REQUEST_BYTES", flag: "--http-max-request-bytes", key: "http.maxRequestBytes", default: 102_400, allowed: whole(1024, 102_400), refused: ["0"] },
  { env: "MCP_DYNAMIC_BACKEND", flag: "--dynamic-backend", key: "store.backend", default: "file", allowed: [["file", "sqlite"]], refused: ["redis"], refusedNow: ["postgres"] },
  { env: "MCP_DYNAMIC_STORE", flag: "--dynamic-store", key: "store.importFrom", default: ".dynamic-mcp/tools.json", allowed: [["t.json", "/work-folder/t.json"]] },
  { env: "MCP_DYNAMIC_MAX_TOOLS", flag: "--dynamic-max-tools", key: "authoring.maxTools", default: 256, allowed: whole(1, 10_000), refused: ["0"] },
  { env: "MCP_DYNAMIC_READ_ONLY", flag: "--dynamic-read-only", key: "authoring.readOnly", default: false, allowed: yes, refused: ["maybe"] },
  { env: "MCP_REQUIRE_ADMIN_TOKEN", flag: "--require-admin-token", key: "admin.requireToken", default: false, allowed: [["false", false]], refused: ["true"] },
  { env: "MCP_ADMIN_TOKEN", flag: "--admin-token", key: "admin.token", default: unset, allowed: [["t", "t"]] },
  { env: "MCP_DYNAMIC_PG_URL", flag: "--dynamic-pg-url", key: "store.postgresUrl", default: unset, allowed: [["postgres://h/d", "postgres://h/d"]] },
  { env: "MCP_DYNAMIC_PG_SCHEMA", flag: "--dynamic-pg-schema", key: "store.postgresSchema", default: "dynamic_mcp", allowed: [["a_1", "a_1"]], refused: ["a-b", "1a"] },
  { env: "MCP_DYNAMIC_PG_INIT_MAX_ATTEMPTS", flag: "--dynamic-pg-init-max-attempts", key: "store.postgresInitMaxAttempts", default: 10, allowed: whole(1, 100), refused: ["101"] },
  { env: "MCP_DYNAMIC_PG_INIT_BACKOFF_MS", flag: "--dynamic-pg-init-backoff-ms", key: "store.postgresInitBackoffMs", default: 1000, allowed: whole(1, 60_000), refused: ["60001"] },
  { env: "MCP_EXECUTION_ENGINE", flag: "--execution-engine", key: "engines.use", default: "auto", allowed: [["auto", "auto"], ["docker", "docker"], ["node", "node"]], refused: ["deno"] },
  { env: "MCP_SANDBOX_DOCKER_BIN", flag: "--docker-bin", key: "sandbox.dockerBin", default: "docker", allowed: [["/usr/bin/podman", "/usr/bin/podman"]] },
  { env: "MCP_SANDBOX_MEMORY_LIMIT", flag: "--sandbox-memory", key: "sandbox.memoryMiB", default: 512, allowed: [["512m", 512], ["2g", 2048], ["1GiB", 1024], ["65536k", 64]], refused: ["512x", "m"] },
  { env: "MCP_SANDBOX_CPU_LIMIT", flag: "--sandbox-cpu", key: "sandbox.cpus", default: 1, allowed: [["1", 1], ["0.5", 0.5]], refused: ["0", "two"] },
  { env: "MCP_SANDBOX_MAX_DEPENDENCIES", flag: "--sandbox-max-dependencies", key: "packages.maxDependencies", default: 32, allowed: whole(1, 256), refused: ["257"] },
  { env: "MCP_SANDBOX_MAX_OUTPUT_BYTES", flag: "--sandbox-max-output-bytes", key: "sandbox.maxOutputBytes", default: 200_000, allowed: whole(1024, 10_000_000), refused: ["0"] },
  { env: "MCP_SANDBOX_MAX_TIMEOUT_MS", flag: "--sandbox-max-timeout-ms", key: "sandbox.maxTimeoutMs", default: 120_000, allowed: whole(1000, 300_000), refused: ["300001"] },
  { env: "MCP_SANDBOX_ALLOWED_IMAGES", flag: "--sandbox-allowed-images", key: "sandbox.allowedImages", default: ["node:lts-slim"], allowed: [["a, b:1", ["a", "b:1"]], ["", []]] },
  { env: "MCP_SANDBOX_BLOCKED_PACKAGES", flag: "--sandbox-blocked-packages", key: "packages.blocked", default: ["child_process", "node-pty", "npm", "pm2"], allowed: [["a,@b/c", ["a", "@b/c"]], ["", []]] },
  { env: "MCP_SANDBOX_SESSION_TIMEOUT_SECONDS", flag: "--sandbox-session-timeout-seconds", key: "sandbox.sessionTimeoutSeconds", default: 1800, allowed: whole(1, 172_800), refused: ["172801"] },
  { env: "MCP_SANDBOX_MAX_SESSIONS", flag: "--sandbox-max-sessions", key: "sandbox.maxSessions", default: 20, allowed: whole(1, 1000), refused: ["1001"] },
  { env: "MCP_TOOL_MAX_CONCURRENCY", flag: "--tool-max-concurrency", key: "guard.maxConcurrency", default: 8, allowed: whole(1, 10_000), refused: ["10001"] },
  { env: "MCP_TOOL_MAX_CALLS_PER_WINDOW", flag: "--tool-max-calls-per-window", key: "guard.maxCallsPerWindow", default: 300, allowed: whole(1, 1_000_000), refused: ["1000001"] },
  { env: "MCP_TOOL_RATE_WINDOW_MS", flag: "--tool-rate-window-ms", key: "guard.windowMs", default: 60_000, allowed: whole(1, 86_400_000), refused: ["86400001"] },
  { env: "MCP_AUTH_MODE", flag: "--auth-mode", key: "auth.mode", default: "none", allowed: [["none", "none"]], refused: ["basic"], refusedNow: ["jwt"] },
  { env: "MCP_AUTH_JWKS_URL", flag: "--auth-jwks-url", key: "auth.jwksUrl", default: unset, allowed: [["https://a/jwks", "https://a/jwks"]] },
  { env: "MCP_AUTH_ISSUER", flag: "--auth-issuer", key: "auth.issuer", default: unset, allowed: [["https://a/", "https://a/"]] },
  { env: "MCP_AUTH_AUDIENCE", flag: "--auth-audience", key: "auth.audience", default: unset, allowed: [["mcp", "mcp"]] },
  { env: "MCP_AUTH_REQUIRED_SCOPES", flag: "--auth-required-scopes", key: "auth.requiredScopes", default: [], allowed: [["a, b", ["a", "b"]]] },
  { env: "MCP_EXPERIMENTAL_UPSTREAM_MCP_ATTACH", flag: "--experimental-upstream-mcp-attach", key: "upstreams.attach", default: false, allowed: [["false", false]], refused: ["true"] },
  { env: "MCP_EXPERIMENTAL_UPSTREAM_MCP_ATTACH_MAX", flag: "--experimental-upstream-mcp-attach-max", key: "upstreams.maxAttached", default: 8, allowed: whole(1, 256), refused: ["257"] },
  { env: "MCP_AUDIT_ENABLED", flag: "--audit-enabled", key: "audit.enabled", default: false, allowed: yes },
  { env: "MCP_AUDIT_FILE", flag: "--audit-file", key: "audit.file", default: ".dynamic-mcp/audit.log", allowed: [["a.log", "/work-folder/a.log"]] },
  { env: "MCP_AUDIT_MAX_EVENT_BYTES", flag: "--audit-max-event-bytes", key: "audit.maxEventBytes", default: 20_000, allowed: whole(256, 1_000_000), refused: ["1000001"] },
  { env: "MCP_AUDIT_MAX_FILE_BYTES", flag: "--audit-max-file-bytes", key: "audit.maxFileBytes", default: 10_000_000, allowed: whole(1024, 1_000_000_000), refused: ["1000000001"] },
  { env: "MCP_AUDIT_MAX_FILES", flag: "--audit-max-files", key: "audit.maxFiles", default: 5, allowed: whole(1, 100), refused: ["101"] },
]; // prettier-ignore

/** scitara-cto/dynamic-mcp-server 0.1.0: variables only. */
const DYNAMIC_MCP_SERVER: readonly Older[] = [
  { env: "PORT", key: "http.port", default: 4001, allowed: whole(1, 65_535) },
  { env: "MONGODB_URI", key: "store.mongoUri", default: unset, allowed: [["mongodb://h/d", "mongodb://h/d"]] },
  { env: "MONGO_URI", key: "store.mongoUri", default: unset, allowed: [["mongodb://h/d", "mongodb://h/d"]] },
  { env: "MONGODB_DB", key: "store.mongoDatabase", default: "dynamic-mcp-server", allowed: [["d", "d"]] },
  { env: "MCP_ADMIN_EMAIL", key: "admin.email", default: unset, allowed: [["a@b", "a@b"]] },
  { env: "MCP_API_KEY_HEADER", key: "http.apiKeyHeader", default: "x-apikey", allowed: [["X-Key", "X-Key"]], refused: ["a b"] },
  { env: "SERVER_NAME", key: "server.displayName", default: "dynamic-mcp-server", allowed: [["My tools", "My tools"]] },
  { env: "MCP_SERVER_NAME", key: "server.displayName", default: "dynamic-mcp-server", allowed: [["My tools", "My tools"]] },
  { env: "SERVER_VERSION", key: "server.displayVersion", default: "1.0.0", allowed: [["2.0", "2.0"]] },
  { env: "MCP_SERVER_URL", key: "server.publicUrl", default: unset, allowed: [["https://a/mcp", "https://a/mcp"]], refused: ["nowhere"] },
  { env: "OMIT_HANDLERS", key: "server.omitPacks", default: [], allowed: [["native,weather", ["native", "weather"]]] },
  { env: "LOG_LEVEL", key: "log.level", default: "info", allowed: [["error", "error"], ["warn", "warn"], ["info", "info"], ["http", "info"], ["debug", "debug"]], refused: ["loud"] },
  { env: "LOG_FILE_PATH", key: "log.file", default: "logs", allowed: [["logs", "/work-folder/logs"]] },
  { env: "POSTMARK_API_TOKEN", key: "mail.postmarkToken", default: unset, allowed: [["t", "t"]] },
  { env: "SMTP_FROM", key: "mail.from", default: unset, allowed: [["a@b", "a@b"]] },
]; // prettier-ignore

const ALL = leaves();

async function valueOf(key: string, given: Parameters<typeof bareMachine>[0]): Promise<unknown> {
  const { settings } = await loadSettings(bareMachine(given));
  const [group = "", name = ""] = key.split(".");
  return (settings as unknown as Record<string, Record<string, unknown>>)[group]?.[name];
}

describe.each([
  ["dynamic-mcp", DYNAMIC_MCP],
  ["dynamic-mcp-server", DYNAMIC_MCP_SERVER],
] as const)("names of %s", (_, table) => {
  it.each(table.map((row) => [row.env, row] as const))(
    "%s means the same, or says how it differs [config-older-names]",
    async (_, row) => {
      const leaf = ALL.find(({ key }) => key === row.key) as Leaf;
      const { difference } = leaf.setting;
      for (const [text, value] of row.allowed) {
        expect(await valueOf(row.key, { env: { [row.env]: text } })).toEqual(value);
        if (row.flag) {
          expect(await valueOf(row.key, { argv: [row.flag, text] })).toEqual(value);
          expect(await valueOf(row.key, { argv: [`${row.flag}=${text}`], env: { [row.env]: "%" } })).toEqual(value);
        }
      }
      for (const text of [...(row.refused ?? []), ...(row.refusedNow ?? [])]) {
        await expect(loadSettings(bareMachine({ env: { [row.env]: text } }))).rejects.toThrow(DynamicMcpError);
      }
      const hasSameDefault = JSON.stringify(await valueOf(row.key, {})) === JSON.stringify(row.default);
      if (!hasSameDefault || row.refusedNow) expect(difference, "a difference has to be documented").toBeTruthy();
    },
  );
});
