import type { AnyResult } from "../core/item.ts";
import { isJsonObject } from "../core/json.ts";

/** URIs that are remembered for each principal, and principals. */
const MAX_URIS = 2_000;
const MAX_PRINCIPALS = 1_000;
/** One that is longer is not remembered. */
const MAX_URI_CHARS = 8_192;

/** Resources that servers have handed out in results: they can be read though no list has them. By whoever got them. */
export class Claims {
  readonly #byPrincipal = new Map<string, Map<string, string>>();
  readonly #isThere: (server: string) => boolean;

  constructor(isThere: (server: string) => boolean) {
    this.#isThere = isThere;
  }

  /** Looks through what a server has answered to a principal. */
  note(result: AnyResult, server: string, principal: string): void {
    const contents =
      "content" in result ? result.content : "messages" in result ? result.messages.map((each) => each?.content) : [];
    if (!Array.isArray(contents)) return;
    for (const content of contents) {
      if (!isJsonObject(content)) continue;
      const uri = content["type"] === "resource_link" ? content["uri"] : isJsonObject(content["resource"]) ? content["resource"]["uri"] : undefined; // prettier-ignore
      if (typeof uri === "string" && uri.length <= MAX_URI_CHARS) this.#add(uri, server, principal);
    }
  }

  #add(uri: string, server: string, principal: string): void {
    let uris = this.#byPrincipal.get(principal);
    if (uris) this.#byPrincipal.delete(principal);
    else uris = new Map();
    this.#byPrincipal.set(principal, uris); // last used last
    dropOldest(this.#byPrincipal, MAX_PRINCIPALS);
    const holder = uris.get(uri);
    uris.delete(uri);
    // A server must not answer for what another has handed out before.
    uris.set(uri, holder !== undefined && this.#isThere(holder) ? holder : server);
    dropOldest(uris, MAX_URIS);
  }

  /** @returns the server that handed it out to this principal */
  serverOf(uri: string, principal: string): string | undefined {
    return this.#byPrincipal.get(principal)?.get(uri);
  }
}

function dropOldest(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}
