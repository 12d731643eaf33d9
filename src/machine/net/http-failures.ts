import { DynamicMcpError } from "../../core/errors.ts";

/** What codes of Node and undici mean to the operator, and what to do about it. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refuses connections; is it running?",
  ENOTFOUND: "is a name that does not resolve; is it spelled right?",
  EAI_AGAIN: "could not be resolved just now",
  ECONNRESET: "broke the connection off",
  EPIPE: "broke the connection off",
  UND_ERR_SOCKET: "broke the connection off",
  ETIMEDOUT: "did not answer in time when connecting",
  UND_ERR_CONNECT_TIMEOUT: "did not answer in time when connecting",
  EHOSTUNREACH: "cannot be reached from here",
  ENETUNREACH: "cannot be reached from here",
  UND_ERR_DESTROYED: "is no longer connected to",
  UND_ERR_CLOSED: "is no longer connected to",
  UND_ERR_ABORTED: "broke the connection off, or its proxy refused it",
  UND_ERR_HEADERS_OVERFLOW: "answered with a head that is too large",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "answered with less or more than it said",
  ERR_SSL_WRONG_VERSION_NUMBER: "does not speak TLS there; is it http: instead of https:?",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "does not speak TLS there; is it http: instead of https:?",
  EPROTO: "did not agree on TLS",
  CERT_HAS_EXPIRED: "has a TLS certificate that has expired",
  CERT_NOT_YET_VALID: "has a TLS certificate that is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: "has a TLS certificate that it signed itself; trust it with NODE_EXTRA_CA_CERTS",
  SELF_SIGNED_CERT_IN_CHAIN: "has a TLS certificate of an unknown authority; trust it with NODE_EXTRA_CA_CERTS",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "has a TLS certificate of an unknown authority; trust it with NODE_EXTRA_CA_CERTS",
  UNABLE_TO_GET_ISSUER_CERT: "has a TLS certificate of an unknown authority; trust it with NODE_EXTRA_CA_CERTS",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "has a TLS certificate of an unknown authority; trust it with NODE_EXTRA_CA_CERTS",
  ERR_TLS_CERT_ALTNAME_INVALID: "has a TLS certificate for another name",
};

/** What no further try could change. */
const INVALID: ReadonlySet<string> = new Set(["UND_ERR_HEADERS_OVERFLOW", "UND_ERR_RES_CONTENT_LENGTH_MISMATCH"]);

/** By codes only: messages of Node hold addresses, and those of undici may hold a header's value. */
export function inWordsFor(error: unknown, { host }: URL): DynamicMcpError {
  if (error instanceof DynamicMcpError) return error;
  const cause = codeOf(error);
  if (cause === "UND_ERR_INVALID_ARG") {
    return new DynamicMcpError("UPSTREAM_INVALID", "a header or the path holds characters that HTTP does not allow");
  }
  // What the parser says of bytes that are not HTTP.
  if (cause.startsWith("HPE_") || INVALID.has(cause)) {
    const words = WORDS[cause] ?? "does not answer in HTTP";
    return new DynamicMcpError("UPSTREAM_INVALID", `${host} ${words} (${cause})`, { data: { cause }, cause: error });
  }
  const words = WORDS[cause] ?? "could not be reached or broke off";
  return new DynamicMcpError("UPSTREAM_UNAVAILABLE", `${host} ${words} (${cause})`, { data: { cause }, cause: error });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if ("code" in error && typeof error.code === "string") return error.code;
  // Undici's, which has a code only sometimes.
  if (error.name === "HTTPParserError") return "HPE_INVALID";
  // Several addresses were tried, or something lies deeper.
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : error.cause;
  return inner === undefined ? "unknown" : codeOf(inner);
}

export function refusedRedirect({ origin }: URL, status: number, target: URL | undefined): DynamicMcpError {
  const where = target ? target.origin + target.pathname : "nowhere";
  const why =
    target && target.origin !== origin
      ? "another origin would get what is meant for this one"
      : "it would not stay the same request, or goes round";
  return new DynamicMcpError(
    "UPSTREAM_INVALID",
    `${origin} redirects (${status}) to ${where}, which is not followed: ${why}. If that is right, set it as the url`,
    { data: { status } },
  );
}

export function refusedBody(coding: string): DynamicMcpError {
  return new DynamicMcpError(
    "UPSTREAM_INVALID",
    `the answer is packed (${coding.slice(0, 40)}), which nobody asked for`,
  );
}

export function tooLarge(maxBytes: number): DynamicMcpError {
  return new DynamicMcpError("TOO_LARGE", `the answer has more than ${maxBytes} bytes`, { data: { maxBytes } });
}
