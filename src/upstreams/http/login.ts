import { DynamicMcpError } from "../../core/errors.ts";
import type { HttpHeaders } from "../../machine/net/http-pool.ts";

/** What a server says of the credentials that it wants (RFC 9110, section 11.6.1; RFC 6750, section 3; RFC 9728, section 5.1). */
export interface Challenge {
  scheme: string | undefined;
  error: string | undefined;
  description: string | undefined;
  scope: string | undefined;
  resourceMetadata: string | undefined;
}

const MAX_CHALLENGE_CHARS = 4_096;

export function textOfChallenge(headers: HttpHeaders): string | undefined {
  const value = headers["www-authenticate"];
  const text = Array.isArray(value) ? value.join(", ") : value;
  return text?.slice(0, MAX_CHALLENGE_CHARS);
}

export function challengeIn(text: string | undefined): Challenge {
  const parameters = new Map<string, string>();
  // The first of a name counts, so that a second challenge cannot rewrite the first.
  for (const [, name = "", quoted, plain] of (text ?? "").matchAll(
    /([A-Za-z_-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g,
  )) {
    const value = quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, "$1");
    if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value ?? "");
  }
  return {
    scheme: /^\s*([A-Za-z][A-Za-z0-9-]*)(?:\s|,|$)/.exec(text ?? "")?.[1],
    error: parameters.get("error"),
    description: parameters.get("error_description"),
    scope: parameters.get("scope"),
    resourceMetadata: parameters.get("resource_metadata"),
  };
}

export function isScopeMissing({ error }: Challenge): boolean {
  return error === "insufficient_scope";
}

/** @param hasSent whether there were credentials with the request */
export function loginWanted(name: string, status: number, challenge: Challenge, hasSent: boolean): DynamicMcpError {
  const { scheme, error, description, scope, resourceMetadata } = challenge;
  const said = [
    String(status),
    scheme && `scheme ${scheme}`,
    error,
    description,
    scope && `scope ${scope}`,
    resourceMetadata && `metadata ${resourceMetadata}`,
  ].filter((word) => word !== undefined && word !== "");
  const what = hasSent ? "refuses the credentials that it got" : "asks for credentials";
  const next =
    isScopeMissing(challenge) && scope
      ? `log in again with the scope ${scope}`
      : hasSent
        ? "renew them"
        : "set an Authorization header for it, or log in";
  return new DynamicMcpError("UPSTREAM_LOGIN", `${name} ${what} (${oneLine(said.join(", "))}): ${oneLine(next)}`, {
    data: {
      status,
      ...(scheme && { scheme }),
      ...(error && { error }),
      ...(scope && { scope }),
      ...(resourceMetadata && { resourceMetadata }),
    },
  });
}

/** What a server wrote may hold anything. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\s]+/gu, " ").slice(0, 600);
}
