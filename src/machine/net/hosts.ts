import { isIP } from "node:net";
import { DynamicMcpError } from "../../core/errors.ts";

/** A host with its port, as patterns see it: lower case, punycode, no brackets, no dot at the end. */
interface Place {
  host: string;
  port: string;
}

interface HostPattern {
  /** `*`: any host. */
  host: string;
  /** It means what lies below `host`, not `host` itself. */
  isBelow: boolean;
  /** Absent: the scheme's own. */
  port?: string;
}

const DEFAULT_PORT: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

/** Whether a pattern is one: `api.example.com`, `*.example.com`, `*`, each with an optional `:port`. */
export function isHostPattern(text: string): boolean {
  return readPattern(text) !== undefined;
}

/** @throws CONFIG_INVALID when one of the patterns is none */
export function assertHostPatterns(patterns: readonly string[]): void {
  const odd = patterns.find((pattern) => !isHostPattern(pattern));
  if (odd === undefined) return;
  const how = "write api.example.com, *.example.com or *, with :port for another than 80 and 443";
  throw new DynamicMcpError("CONFIG_INVALID", `${JSON.stringify(odd)} is no pattern of hosts; ${how}`);
}

/**
 * Whether one of the patterns means this URL's host and port. Without a port a pattern means 443 for https and 80 for
 * http. What is no pattern matches nothing.
 */
export function matchesHost(patterns: readonly string[], url: URL): boolean {
  const { host, port } = placeOf(url);
  return patterns.some((text) => {
    const pattern = readPattern(text);
    if (!pattern || port !== (pattern.port ?? DEFAULT_PORT[url.protocol])) return false;
    if (pattern.host === "*") return true;
    return pattern.isBelow ? host.endsWith(`.${pattern.host}`) && host.length > pattern.host.length + 1 : host === pattern.host; // prettier-ignore
  });
}

/** The name or address to connect to. */
export function placeOf(url: URL): Place {
  return { host: bare(url.hostname), port: url.port === "" ? (DEFAULT_PORT[url.protocol] ?? "") : url.port };
}

function readPattern(text: string): HostPattern | undefined {
  const isBareV6 = isIP(text.trim()) === 6;
  const [, name = "", port] = isBareV6 ? ["", `[${text.trim()}]`] : (/^(.*?)(?::(\d{1,5}))?$/s.exec(text.trim()) ?? []);
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return undefined;
  const at = port === undefined ? {} : { port: String(Number(port)) };
  if (name === "*") return { host: "*", isBelow: false, ...at };
  const isBelow = name.startsWith("*.");
  const host = readHost(isBelow ? name.slice(2) : name);
  // There is nothing below an address.
  return host === undefined || (isBelow && isIP(host) !== 0) ? undefined : { host, isBelow, ...at };
}

/** Spelled as URLs spell it; undefined when it is more or less than a host. */
function readHost(name: string): string | undefined {
  if (name === "" || /[\s/?#@\\*%]/.test(name)) return undefined;
  if (name.includes(":") && !/^\[.*\]$/.test(name)) return undefined;
  const url = URL.parse(`http://${name}`);
  return url && url.port === "" ? bare(url.hostname) : undefined;
}

function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}
