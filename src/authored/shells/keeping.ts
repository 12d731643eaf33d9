import { DynamicMcpError } from "../../core/errors.ts";
import { createTurns } from "../../core/turns.ts";
import type { Shell } from "../../engines/shells.ts";
import type { PackageLock } from "../../machine/packages/packages.ts";
import type { ShellView } from "./shells.ts";

/** A shell that somebody keeps. */
export interface Kept {
  readonly id: string;
  readonly principal: string;
  readonly shell: Shell;
  /** One call at a time. */
  readonly inTurn: ReturnType<typeof createTurns>;
  /** By what was asked for, as JSON, least recently asked for first. */
  readonly locks: Map<string, PackageLock>;
}

export interface KeepingOptions {
  idleMs: number;
  maxAgeMs: number;
  /** ms since 1970 */
  now(): number;
}

interface Row extends Kept {
  createdAtMs: number;
  lastUsedAtMs: number;
  /** Calls that use it now: as long as there are any, it is not idle. */
  uses: number;
  onGone(): void;
}

/** Which shells there are, whose, and until when. What has expired is not found, whether or not it has been ended yet. */
export interface Keeping {
  add(kept: Pick<Kept, "id" | "principal" | "shell">, onGone: () => void): void;
  /** @throws SHELL_NOT_FOUND, also when it is somebody else's */
  find(id: string, principal: string): Kept;
  /** It is in use, until the returned function is called. */
  use(kept: Kept): () => void;
  viewOf(id: string): ShellView;
  list(principal: string): ShellView[];
  /** Takes it off the list at once, and ends it. */
  end(id: string): Promise<void>;
  endAll(): Promise<void>;
  sweep(): void;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

export function createKeeping({ idleMs, maxAgeMs, now }: KeepingOptions): Keeping {
  const rows = new Map<string, Row>();
  let timer: NodeJS.Timeout | undefined;

  const expiresAtMs = ({ createdAtMs, lastUsedAtMs, uses }: Row) =>
    Math.min(createdAtMs + maxAgeMs, uses > 0 ? Infinity : lastUsedAtMs + idleMs);

  function forget(row: Row): void {
    if (rows.get(row.id) !== row) return;
    rows.delete(row.id);
    row.onGone();
    arm();
  }

  async function end(id: string): Promise<void> {
    const row = rows.get(id);
    if (!row) return;
    forget(row);
    await row.shell.stop();
  }

  function sweep(): void {
    for (const row of [...rows.values()]) if (expiresAtMs(row) <= now()) void end(row.id);
    arm();
  }

  function arm(): void {
    clearTimeout(timer);
    if (rows.size === 0) return;
    const next = Math.min(...[...rows.values()].map(expiresAtMs));
    timer = setTimeout(sweep, Math.min(Math.max(next - now(), 0) + 1, MAX_TIMER_MS));
    timer.unref();
  }

  function view(row: Row): ShellView {
    const iso = (ms: number) => new Date(ms).toISOString();
    return {
      id: row.id,
      image: row.shell.image,
      createdAt: iso(row.createdAtMs),
      lastUsedAt: iso(row.uses > 0 ? now() : row.lastUsedAtMs),
      expiresAt: iso(row.uses > 0 ? Math.min(row.createdAtMs + maxAgeMs, now() + idleMs) : expiresAtMs(row)),
    };
  }

  function rowOf(id: string): Row {
    const row = rows.get(id);
    if (!row) throw shellNotFound(id);
    return row;
  }

  return {
    end,
    sweep,
    viewOf: (id) => view(rowOf(id)),

    add(kept, onGone) {
      const at = now();
      const row = { ...kept, onGone, inTurn: createTurns(1), locks: new Map(), createdAtMs: at, lastUsedAtMs: at, uses: 0 }; // prettier-ignore
      rows.set(row.id, row);
      void row.shell.gone.then(() => forget(row));
      arm();
    },

    find(id, principal) {
      sweep();
      const row = rows.get(id);
      if (row?.principal !== principal) throw shellNotFound(id);
      return row;
    },

    use({ id }) {
      const row = rowOf(id);
      row.uses++;
      row.lastUsedAtMs = now();
      arm();
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        row.uses--;
        row.lastUsedAtMs = now();
        arm();
      };
    },

    list(principal) {
      sweep();
      return [...rows.values()].filter((row) => row.principal === principal).map(view);
    },

    async endAll() {
      await Promise.all([...rows.keys()].map(end));
    },
  };
}

function shellNotFound(id: string): DynamicMcpError {
  const why = `you have no shell ${JSON.stringify(id)}: it was stopped, has expired or never was; sandbox_session_list shows yours`;
  return new DynamicMcpError("SHELL_NOT_FOUND", why, { data: { sessionId: id } });
}
