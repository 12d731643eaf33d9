import { Crowd } from "./crowd.ts";
import { DynamicMcpError, type ErrorCode } from "./errors.ts";

/** Why a run was ended from outside. The first cause wins and is the only one reported. */
export type EndReason = "client" | "deadline" | "shutdown" | "revoked" | "parent";

const CODE_OF_REASON = {
  client: "CANCELLED",
  deadline: "TIMEOUT",
  shutdown: "SHUTTING_DOWN",
  revoked: "FORBIDDEN",
  parent: "PARENT_ENDED",
} as const satisfies Record<EndReason, ErrorCode>;

/**
 * The end of a call: one controller and one timer, with a typed reason.
 *
 * Not `AbortSignal.any` with `AbortSignal.timeout`: those leak listeners and cannot pause. A deadline can be paused
 * while a person thinks, up to `wallMs` in all. A child ends with its parent, never later.
 */
export class Deadline {
  // Most calls end without anybody listening: what listens is made when it is asked for.
  #controller: AbortController | undefined;
  #listeners: Crowd<() => void> | undefined;
  #children: Crowd<Deadline> | undefined;
  readonly #parent: Deadline | undefined;
  readonly #wallEndsAt: number;
  readonly #limitMs: number;
  #endsAt: number;
  #timer: NodeJS.Timeout | undefined;
  #paused = 0;
  #remainingMs = 0;
  #reason: EndReason | undefined;
  #isClosed = false;

  /**
   * @param limitMs time to run, in ms (> 0); pauses do not count
   * @param wallMs  cap on everything including pauses, in ms; default: ten times `limitMs`, at least ten minutes
   */
  constructor(limitMs: number, options: { wallMs?: number; parent?: Deadline } = {}) {
    const now = performance.now();
    this.#limitMs = limitMs;
    this.#parent = options.parent;
    const parentLeft = options.parent ? options.parent.remainingMs() : Infinity;
    this.#wallEndsAt = now + (options.wallMs ?? Math.max(limitMs * 10, 600_000));
    this.#endsAt = now + Math.min(limitMs, parentLeft);
    if (options.parent && (options.parent.#reason || options.parent.#isClosed)) {
      this.end("parent");
      return;
    }
    if (options.parent) (options.parent.#children ??= new Crowd()).add(this);
    this.#arm();
  }

  /** Aborts when the run ends, with the deadline's error as its reason. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.error());
    }
    return this.#controller.signal;
  }

  /**
   * Calls `listener` once, at the end of the run; at once when it has ended already. Cheaper than `signal`.
   *
   * @returns takes the listener away; safe to call twice
   */
  onEnd(listener: () => void): () => void {
    if (this.#reason) {
      listener();
      return () => {};
    }
    const listeners = (this.#listeners ??= new Crowd());
    listeners.add(listener);
    return () => void listeners.remove(listener);
  }

  get reason(): EndReason | undefined {
    return this.#reason;
  }

  /** The limit this deadline was made with, in ms. */
  get limitMs(): number {
    return this.#limitMs;
  }

  /** Time left in ms, at least 0; while paused, what was left when the pause began. */
  remainingMs(): number {
    if (this.#reason) return 0;
    return this.#paused > 0 ? this.#remainingMs : Math.max(0, this.#endsAt - performance.now());
  }

  /** Ends the run; a second call, or one after `close`, changes nothing. Children end with reason `parent`, or `shutdown`, `revoked` as given. */
  end(reason: EndReason): void {
    if (this.#reason || this.#isClosed) return;
    this.#reason = reason;
    clearTimeout(this.#timer);
    this.#leaveParent();
    const forChildren = reason === "shutdown" || reason === "revoked" ? reason : "parent";
    for (const child of this.#children ?? []) child.end(forChildren);
    for (const listener of this.#listeners ?? []) listener();
    this.#controller?.abort(this.error());
  }

  /** Stops the clock while somebody outside is asked. The returned function starts it again; safe to call twice. */
  pause(): () => void {
    const resumeParent = this.#parent?.pause();
    if (this.#paused++ === 0) {
      this.#remainingMs = Math.max(0, this.#endsAt - performance.now());
      this.#arm();
    }
    let resumed = false;
    return () => {
      if (resumed) return;
      resumed = true;
      resumeParent?.();
      if (--this.#paused === 0) {
        this.#endsAt = performance.now() + this.#remainingMs;
        this.#arm();
      }
    };
  }

  child(limitMs: number): Deadline {
    return new Deadline(limitMs, { parent: this });
  }

  /** The run is over: nothing ends it any more, but its children end, also those that are made later. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#leaveParent();
    for (const child of this.#children ?? []) child.end("parent");
  }

  /** The refusal that stands for the reason. */
  error(): DynamicMcpError {
    const reason = this.#reason ?? "deadline";
    const text = {
      client: "the client cancelled the call",
      deadline: `stopped at the time limit of ${Math.round(this.#limitMs)} ms`,
      shutdown: "the server is stopping",
      revoked: "the permission for this call was withdrawn",
      parent: "the call that made this call has ended",
    }[reason];
    return new DynamicMcpError(CODE_OF_REASON[reason], text, { data: { reason } });
  }

  throwIfEnded(): void {
    if (this.#reason) throw this.error();
  }

  #leaveParent(): void {
    if (this.#parent) this.#parent.#children?.remove(this);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#reason || this.#isClosed) return;
    const now = performance.now();
    const endsAt = this.#paused > 0 ? this.#wallEndsAt : Math.min(this.#endsAt, this.#wallEndsAt);
    this.#timer = setTimeout(() => this.end("deadline"), Math.min(Math.max(0, endsAt - now), 2 ** 31 - 1));
    this.#timer.unref();
  }
}
