import { setImmediate as afterInput, setTimeout as sleep } from "node:timers/promises";
import type { DockerBase } from "./docker-base.ts";

/** Containers start faster than that: who waits longer asks whether the daemon is there at all. */
const LOOK_AFTER_MS = 500;
const LOOK_EVERY_MS = 2_000;
/** What a busy daemon may take for a ping, whatever the call's own time is. */
const MIN_PATIENCE_MS = 1_500;
const MAX_PATIENCE_MS = 5_000;

/**
 * For a call that waits for a container: a daemon that hangs lets it wait for all its time, and for nothing.
 *
 * @param runMs of the call, which is about how long its caller is ready to wait
 * @param onLost once, when the daemon does not answer
 * @returns ends the watch
 */
export function watchDaemon(
  base: Pick<DockerBase, "client">,
  runMs: number | undefined,
  onLost: () => void,
): () => void {
  const patienceMs = Math.min(MAX_PATIENCE_MS, Math.max(MIN_PATIENCE_MS, runMs ?? MAX_PATIENCE_MS));
  const over = new AbortController();
  const { signal } = over;

  async function watch(): Promise<void> {
    for (let waitMs = LOOK_AFTER_MS; ; waitMs = LOOK_EVERY_MS) {
      await sleep(waitMs, undefined, { signal, ref: false });
      if (!(await answers())) break;
    }
    if (!signal.aborted) onLost();
  }

  async function answers(): Promise<boolean> {
    let isThere = false;
    const pinged = base.client.ping({ signal }).then(
      () => (isThere = true),
      () => {}, // who is gone fails the call itself, and says why
    );
    await Promise.race([pinged, sleep(patienceMs, undefined, { signal, ref: false })]);
    // When we were busy ourselves the answer may be there, and is read now.
    await afterInput();
    return isThere;
  }

  watch().catch(() => {}); // it was ended
  return () => over.abort();
}
