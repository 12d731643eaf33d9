import type { Exposure } from "../core/exposure.ts";
import type { Listing, Source } from "../core/source.ts";
import type { Named } from "./surface.ts";

/** An exposure once `auto` is decided. */
export type Exposed = Exclude<Exposure, "auto">;

export interface ExposureOptions {
  /** For those who ask for none; default `direct`. */
  exposure?: Exposure;
  /** Up to so many tokens, `auto` lists every tool; default 0. */
  budgetTokens?: number;
  /**
   * Whether a profile lists it; what is not listed can still be called.
   *
   * @param exposed how this list shows tools that have no wish of their own
   * @param inUse the ways in which tools are exposed in this list: what is not `direct` needs its fixed tools beside it
   */
  isListed: (listing: Listing, source: Source, exposed: Exposed, inUse: ReadonlySet<Exposed>) => boolean;
}

/** The mean line of a tool, for those that do not say. */
const TYPICAL_CHARS = 800;
/** Of JSON, about. */
const CHARS_PER_TOKEN = 4;
const DIRECT: ReadonlySet<Exposed> = new Set(["direct"]);

/**
 * What is listed of all tools. A server's own wish goes first, then the address that the caller came by, then the
 * setting. Built-in tools (those with a toolset) are the profile's business alone.
 *
 * @param wish of the caller or of the setting
 */
export function expose(
  all: readonly Named<"tool">[],
  wish: Exposure,
  { budgetTokens, isListed }: Required<Pick<ExposureOptions, "budgetTokens" | "isListed">>,
): { exposure: Exposed; listed: readonly Named<"tool">[] } {
  const wishOf = ({ listing }: Named<"tool">) => listing.expose ?? wish;
  const isOurs = ({ listing }: Named<"tool">) => listing.toolset !== undefined;

  const auto = all.some((named) => !isOurs(named) && wishOf(named) === "auto") ? decide() : "direct";
  const exposedOf = (named: Named<"tool">) => resolved(wishOf(named));
  const exposure = resolved(wish);
  const inUse = new Set<Exposed>([exposure]);
  for (const named of all) if (!isOurs(named)) inUse.add(exposedOf(named));
  const listed = all.filter(
    (named) =>
      (isOurs(named) || exposedOf(named) === "direct") && isListed(named.listing, named.source, exposure, inUse),
  );
  return { exposure, listed };

  function resolved(value: Exposure): Exposed {
    return value === "auto" ? auto : value;
  }

  function decide(): Exposed {
    let chars = 0;
    for (const named of all) {
      const isDirect = isOurs(named) || wishOf(named) === "direct" || wishOf(named) === "auto";
      if (isDirect && isListed(named.listing, named.source, "direct", DIRECT))
        chars += named.listing.chars ?? TYPICAL_CHARS;
    }
    return chars <= budgetTokens * CHARS_PER_TOKEN ? "direct" : "search";
  }
}
