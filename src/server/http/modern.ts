import { assertModernVersion, readEnvelope } from "../envelope.ts";
import { Flight } from "../flight.ts";
import { ProtocolError, RPC } from "../protocol.ts";
import { checkHeaders, checkParamHeaders, readAccept } from "./checks.ts";
import { exposed } from "./exposure.ts";
import { PostReply } from "./post-reply.ts";
import type { Post, PostParts, Request } from "./turn.ts";
import { headerOf } from "./session.ts";

/** Requests of 2026-07-28: each says all there is to know of its client, and nothing is remembered after it. */
export function createModern({ answer, lists, streams }: PostParts) {
  /** @throws ProtocolError -32602, -32020, -32022 as the specification's order of checks has them; status 400 */
  return async (post: Post, { id, method, params }: Request): Promise<void> => {
    const { principal, exposure, bodyBytes, turn } = post;
    const { request, response, requestId, headers } = turn;
    const header = (name: string) => headerOf(request, name);
    const { version, client, can, logLevel } = readEnvelope(params);
    assertSameVersion(header("mcp-protocol-version"), version);
    assertModernVersion(version);
    checkHeaders(header, method, params);
    const caller = exposed(client ? { principal, client } : { principal }, exposure);
    if (method === "tools/call" && typeof params["name"] === "string") {
      const wanted = lists.traitsOf(caller, params["name"])?.headers;
      if (wanted && wanted.length > 0) checkParamHeaders(header, wanted, params["arguments"]);
    }
    const flight = new Flight(id);
    // Closing the stream is how a client of 2026-07-28 cancels over HTTP.
    turn.flights = [flight];
    const lane = new PostReply(response, readAccept(request.headers.accept), headers, streams, undefined);
    const reply = await answer({
      era: "modern",
      id,
      method,
      params,
      caller,
      can,
      logLevel,
      requestId,
      flight,
      lane,
      memory: undefined,
      bytesIn: bodyBytes,
    });
    lane.finish(reply ? [reply] : [], false);
  };
}

function assertSameVersion(header: string | undefined, version: string): void {
  if (header === version) return;
  const named = header === undefined ? "is missing" : `names ${header}`;
  throw new ProtocolError(RPC.headerMismatch, `the MCP-Protocol-Version header ${named}; \`_meta\` names ${version}`, {
    status: 400,
  });
}
