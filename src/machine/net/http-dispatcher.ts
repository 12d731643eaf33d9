import { DynamicMcpError } from "../../core/errors.ts";
import type { HttpHeaders, HttpPoolOptions } from "./http-pool.ts";

/** The few members that we use of undici's dispatchers. */
export interface Dispatcher {
  dispatch(request: DispatchOptions, handler: DispatchHandler): boolean;
  destroy(): Promise<void>;
}

interface DispatchOptions {
  origin: string;
  path: string;
  method: string;
  headers: readonly string[];
  body: string | null;
  headersTimeout: number;
  bodyTimeout: number;
}

export interface DispatchHandler {
  onRequestStart(controller: { abort(reason: Error): void }): void;
  onResponseStart(controller: unknown, status: number, headers: HttpHeaders): void;
  onResponseData(controller: unknown, chunk: Buffer): void;
  onResponseEnd(): void;
  onResponseError(controller: unknown, error: unknown): void;
}

/** More wait for a free one. Each call under way holds one, and so does each open stream. */
const MAX_CONNECTIONS = 256;
const MAX_HEAD_BYTES = 64 * 1024;
/** Never through a proxy: it would mean the proxy's own machine. */
const THIS_MACHINE = "localhost,127.0.0.1,::1";

/** Loaded when the first server is connected to, not before. */
export async function dispatcherFor({ url, connectTimeoutMs, proxies }: HttpPoolOptions): Promise<Dispatcher> {
  if (!isHttp(url)) throw new DynamicMcpError("UPSTREAM_INVALID", `${url.protocol} is not http: or https:`);
  const settings = {
    connections: MAX_CONNECTIONS,
    connectTimeout: connectTimeoutMs,
    maxHeaderSize: MAX_HEAD_BYTES,
    // A stream that is given up is closed with its connection; with HTTP/2 others would wait behind it.
    allowH2: false,
  };
  const { http, https, except } = proxies ?? {};
  if (!http && !https) {
    const { default: Pool } = await import("undici/lib/dispatcher/pool.js");
    return new Pool(url.origin, settings) as unknown as Dispatcher;
  }
  for (const proxy of [http, https]) {
    if (proxy && !(URL.canParse(proxy) && isHttp(new URL(proxy)))) {
      throw new DynamicMcpError(
        "UPSTREAM_INVALID",
        "the proxy of HTTP_PROXY or HTTPS_PROXY is not an http: or https: URL",
      );
    }
  }
  const { default: EnvHttpProxyAgent } = await import("undici/lib/dispatcher/env-http-proxy-agent.js");
  // Texts for all three: for what is undefined it would read the environment.
  return new EnvHttpProxyAgent({
    ...settings,
    httpProxy: http ?? "",
    httpsProxy: https ?? "",
    noProxy: except ? `${except},${THIS_MACHINE}` : THIS_MACHINE,
  }) as unknown as Dispatcher;
}

function isHttp({ protocol }: URL): boolean {
  return protocol === "http:" || protocol === "https:";
}
