import type { Site, SiteRequest } from "./site.ts";

/**
 * Sends something whose answer says nothing but its status; its body is passed over.
 *
 * @param all holds what ends it, while it is under way
 * @returns the status; undefined when there was none within the time, or it was ended. Never rejects.
 */
export function sendAlone(
  site: Site,
  request: SiteRequest,
  timeoutMs: number,
  all: Set<() => void>,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    let status: number | undefined;
    const over = () => {
      clearTimeout(timer);
      all.delete(abort);
      resolve(status);
    };
    const abort = () => {
      exchange.abort();
      over();
    };
    const timer = setTimeout(abort, timeoutMs);
    all.add(abort);
    const exchange = site.send(request, {
      onHead(given) {
        status = given;
        // The rest is read for the connection's sake alone.
        resolve(status);
        return "whole";
      },
      onWhole: over,
      onChunk() {},
      onEnd: over,
      onError: over,
    });
  });
}
