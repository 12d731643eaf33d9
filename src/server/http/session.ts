import type { IncomingMessage } from "node:http";
import type { Principal } from "../../core/caller.ts";
import type { Channels } from "../channels.ts";
import { eraOfHeader } from "../envelope.ts";
import type { OpenChannel } from "../open-channel.ts";
import { ProtocolError, RPC } from "../protocol.ts";

/**
 * The MCP session that a request of the older era belongs to.
 *
 * @throws ProtocolError (400) without a session id or with a version that is not served
 * @throws CHANNEL_NOT_FOUND (404) for a session that is not known (any more), or is somebody else's
 */
export function sessionOf(
  request: IncomingMessage,
  principal: Principal,
  channels: Channels,
): OpenChannel | Promise<OpenChannel> {
  const version = headerOf(request, "mcp-protocol-version");
  if (version !== undefined) eraOfHeader(version);
  const id = headerOf(request, "mcp-session-id");
  if (id === undefined) {
    throw new ProtocolError(RPC.invalidRequest, "the Mcp-Session-Id header is missing; send `initialize` first", {
      status: 400,
    });
  }
  return channels.find(id, principal);
}

/** @param name in lower case */
export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}
