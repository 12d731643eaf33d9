import type { Deadline, EndReason } from "../core/deadline.ts";
import type { RequestId } from "./json-rpc.ts";

/** A request that is being answered, so that it can be ended from outside, even before its run has begun. */
export class Flight {
  readonly id: RequestId;
  #reason: EndReason | undefined;
  #deadline: Deadline | undefined;

  constructor(id: RequestId) {
    this.id = id;
  }

  /** Why it was ended, if it was. A client that ended it waits for no answer. */
  get reason(): EndReason | undefined {
    return this.#reason;
  }

  attach(deadline: Deadline): void {
    this.#deadline = deadline;
    if (this.#reason) deadline.end(this.#reason);
  }

  end(reason: EndReason): void {
    this.#reason ??= reason;
    this.#deadline?.end(reason);
  }
}

/** Flights that come and go, thousands a second; few at a time, so an array does. */
export class Flights {
  readonly #all: Flight[] = [];

  get size(): number {
    return this.#all.length;
  }

  add(flight: Flight): void {
    this.#all.push(flight);
  }

  find(id: RequestId): Flight | undefined {
    return this.#all.find((flight) => flight.id === id);
  }

  remove(flight: Flight): void {
    const at = this.#all.indexOf(flight);
    if (at < 0) return;
    const last = this.#all.pop();
    if (last && last !== flight) this.#all[at] = last;
  }

  endAll(reason: EndReason): void {
    for (const flight of [...this.#all]) flight.end(reason);
  }
}
