import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import { isJsonObject, isTooDeep, type JsonObject } from "../../core/json.ts";
import { RemoteError } from "../../core/remote-error.ts";
import type { Era, UpstreamAbout } from "../upstream.ts";
import type { Peer } from "./peer.ts";
import {
  isDiscovery,
  isLegacyVersion,
  META,
  MODERN_VERSION,
  NEWEST_LEGACY_VERSION,
  RPC,
  supportedIn,
} from "./protocol.ts";

/** What was agreed on; how it was carried is the transport's to add. */
export type Negotiated = Omit<UpstreamAbout, "transport" | "pid">;

const MAX_INSTRUCTIONS_CHARS = 100_000;

/**
 * Asks a server whether it speaks 2026-07-28.
 *
 * @returns undefined: it is of the older era, for all that can be told from its answer
 * @throws UPSTREAM_INVALID when it speaks only what we do not; whatever the wire says when there is no answer
 */
export async function discover(peer: Peer, deadline: Deadline): Promise<Negotiated | undefined> {
  try {
    const result = await peer.say("modern", "server/discover", {}, { deadline });
    if (!isDiscovery(result)) return undefined;
    const meta = result["_meta"];
    const info = (isJsonObject(meta) ? meta[META.serverInfo] : undefined) ?? result["serverInfo"];
    return negotiated(peer, "modern", MODERN_VERSION, info, result);
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    const supported = error.rpc.code === RPC.unsupportedVersion ? supportedIn(error.rpc) : undefined;
    if (supported && supported.length > 0 && !supported.some(isLegacyVersion)) {
      throw noCommonVersion(peer, supported.join(", "), error);
    }
    return undefined;
  }
}

/**
 * The start of the older era, to its end: the server may be used afterwards.
 *
 * @throws RemoteError when the server refuses; UPSTREAM_INVALID when it speaks only what we do not
 */
export async function initialize(peer: Peer, deadline: Deadline): Promise<Negotiated> {
  const result = await sayHello(peer, deadline);
  const version = result["protocolVersion"];
  if (!isLegacyVersion(version)) throw noCommonVersion(peer, JSON.stringify(version ?? null).slice(0, 100));
  peer.wire.send('{"jsonrpc":"2.0","method":"notifications/initialized"}');
  return negotiated(peer, "legacy", version, result["serverInfo"], result);
}

/** Some servers refuse a version that they do not know instead of offering theirs, and say which they do. */
async function sayHello(peer: Peer, deadline: Deadline): Promise<JsonObject> {
  const { capabilities, client } = peer.options;
  const hello = (protocolVersion: string) =>
    peer.say("legacy", "initialize", { protocolVersion, capabilities, clientInfo: client }, { deadline });
  try {
    return await hello(NEWEST_LEGACY_VERSION);
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    const theirs = supportedIn(error.rpc)?.filter(isLegacyVersion).toSorted().at(-1);
    if (theirs === undefined || theirs === NEWEST_LEGACY_VERSION) throw error;
    return await hello(theirs);
  }
}

function negotiated(peer: Peer, era: Era, version: string, info: unknown, result: JsonObject): Negotiated {
  if (isTooDeep(result)) {
    throw new DynamicMcpError("UPSTREAM_INVALID", `what ${peer.options.name} says of itself is nested too deep`);
  }
  const { capabilities, instructions } = result;
  return {
    era,
    version,
    info: isJsonObject(info) ? info : {},
    capabilities: isJsonObject(capabilities) ? capabilities : {},
    ...(typeof instructions === "string" && { instructions: instructions.slice(0, MAX_INSTRUCTIONS_CHARS) }),
  };
}

function noCommonVersion(peer: Peer, theirs: string, cause?: unknown): DynamicMcpError {
  const message = `${peer.options.name} speaks a version of the protocol that is not known here: ${theirs}`;
  return new DynamicMcpError("UPSTREAM_INVALID", message, { cause });
}
