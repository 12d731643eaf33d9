import { DynamicMcpError } from "../../core/errors.ts";
import type { HttpHeaders } from "../../machine/net/http-pool.ts";

/** The head of an answer, as far as a refusal tells of it. */
export interface Head {
  status: number;
  headers: HttpHeaders;
}

const MAX_SAID_CHARS = 300;

/** Where a JSON-RPC answer should be: another status, another kind of content, nothing at all. */
export function notAnAnswer(name: string, { status, headers }: Head, text: string): DynamicMcpError {
  const type = contentTypeOf(headers);
  const data = { status };
  if (status >= 500 || status === 429 || status === 408) {
    const retryAfter = headers["retry-after"];
    return new DynamicMcpError("UPSTREAM_UNAVAILABLE", `${name} answered with status ${status}${said(type, text)}`, {
      data: { ...data, ...(typeof retryAfter === "string" && { retryAfter: retryAfter.slice(0, 40) }) },
    });
  }
  const what =
    status < 200 || status > 299
      ? `with status ${status}${said(type, text)}`
      : text.trim() === ""
        ? `with status ${status} and an empty body instead of a result`
        : isJson(type)
          ? "with what is not a JSON-RPC answer to this request"
          : `with ${type || "content of no type"} instead of JSON or a stream of events; is the url right?`;
  return new DynamicMcpError("UPSTREAM_INVALID", `${name} answered ${what}`, { data });
}

/** The stream of a request was closed, and nobody knows how far the server came. */
export function brokenOff(name: string, cause: DynamicMcpError | undefined): DynamicMcpError {
  return new DynamicMcpError(
    "UPSTREAM_UNAVAILABLE",
    `${name} closed the stream before it answered; it may have done the work or not`,
    { data: { reason: "stream" }, ...(cause && { cause }) },
  );
}

/** `isUnhandled` tells who reconnects that sending it once more can do nothing twice. */
export function sessionGone(name: string): DynamicMcpError {
  return new DynamicMcpError(
    "UPSTREAM_UNAVAILABLE",
    `${name} no longer knows this session and has to be connected anew`,
    {
      data: { reason: "session", isUnhandled: true },
    },
  );
}

export function contentTypeOf(headers: HttpHeaders): string {
  return (String(headers["content-type"] ?? "").split(";", 1)[0] ?? "").trim().toLowerCase();
}

export function isJson(type: string): boolean {
  return type === "application/json" || type.endsWith("+json");
}

export function isEvents(type: string): boolean {
  return type === "text/event-stream";
}

/** Its own words, where they are for people and not a web page. */
function said(type: string, text: string): string {
  const words = text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
  if (words === "" || type === "text/html" || words.startsWith("<")) return "";
  return `: ${words.slice(0, MAX_SAID_CHARS)}`;
}
