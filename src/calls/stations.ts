import type { CallRequest } from "../core/call.ts";
import type { Caller } from "../core/caller.ts";
import type { Source, Target } from "../core/source.ts";
import type { Lease } from "../guard/guard.ts";

/*
 * What a call is after each station of the line. Each can only be made from the one before (they are nominal: the
 * private member keeps a look-alike out), so the compiler refuses a shortcut.
 */

/** Somebody known asks for something by name. */
export class Identified {
  declare private readonly station: "identified";
  /** ms since 1970, for the record; durations come from the clock that only grows. */
  readonly receivedAt = Date.now();
  readonly startedAt = performance.now();
  readonly callId: string;
  readonly request: CallRequest;
  readonly parent: Admitted | undefined;
  /** 0 for a call from a client, one more for each call within. */
  readonly depth: number;
  /** Set once the name is known to stand for something; for the record. */
  found: Resolved | undefined;

  constructor(callId: string, request: CallRequest, parent?: Admitted) {
    this.callId = callId;
    this.request = request;
    this.parent = parent;
    this.found = undefined;
    this.depth = parent ? parent.resolved.call.depth + 1 : 0;
  }
}

/** The name stands for an item that this caller may see. */
export class Resolved {
  declare private readonly station: "resolved";
  readonly call: Identified;
  readonly source: Source;
  readonly target: Target;
  /** The item's own name: what the journal shows. */
  readonly name: string;
  /** What the guard counts it under; the name, when a list bounds how many there are. */
  readonly scope: string;

  constructor(call: Identified, found: { source: Source; target: Target; name: string; scope?: string }) {
    this.call = call;
    this.source = found.source;
    this.target = found.target;
    this.name = found.name;
    this.scope = found.scope ?? found.name;
    call.found = this;
  }
}

/** It fits into rate and concurrency; the lease has to be given back. */
export class Admitted {
  declare private readonly station: "admitted";
  readonly resolved: Resolved;
  readonly lease: Lease;

  constructor(resolved: Resolved, lease: Lease) {
    this.resolved = resolved;
    this.lease = lease;
  }
}

/** Credentials are out of the arguments; the caller may have become the operator by them. */
export class Rewritten {
  declare private readonly station: "rewritten";
  readonly admitted: Admitted;
  readonly caller: Caller;
  readonly target: Target;

  constructor(admitted: Admitted, caller: Caller, target: Target) {
    this.admitted = admitted;
    this.caller = caller;
    this.target = target;
  }
}

/** The arguments fit the schema. */
export class Checked {
  declare private readonly station: "checked";
  readonly rewritten: Rewritten;
  readonly target: Target;

  constructor(rewritten: Rewritten, target: Target) {
    this.rewritten = rewritten;
    this.target = target;
  }
}

/** This caller may do this with these arguments. */
export class Allowed {
  declare private readonly station: "allowed";
  readonly checked: Checked;

  constructor(checked: Checked) {
    this.checked = checked;
  }
}
