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
