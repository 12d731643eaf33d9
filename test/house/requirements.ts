/**
 * What we promise, and where the promise comes from. Tests cite an id in brackets at the end of their title:
 *
 *   it("ends the run when the client cancels [call-cancel]", ...)
 *
 * A promise that no test cites fails, and so does a citation of something that is not promised.
 */
export interface Promised {
  id: string;
  promise: string;
  /** A page of ours, or the specification and section that asks for it. */
  source: string;
}

export const REQUIREMENTS: readonly Promised[] = [
  {
    id: "house-walls",
    promise: "A folder imports only front files of lower floors.",
    source: "CONTRIBUTING.md#the-house",
  },
  {
    id: "house-two-commands",
    promise: "npm start and npm test install and build what is missing or stale, and pass signals and exit codes on.",
    source: "CONTRIBUTING.md#commands",
  },
  {
    id: "house-start",
    promise:
      "npm start serves over HTTP on the loopback, prints where, and ends with exit code 0 when it is told to stop.",
    source: "README.md",
  },
  {
    id: "house-pinned-node",
    promise: "A fetched Node whose sha512 is not the pinned one is never unpacked.",
    source: "CONTRIBUTING.md#commands",
  },
  {
    id: "store-no-lost-writes",
    promise: "Several processes that write one store at once lose nothing.",
    source: "docs/decisions/0002-sqlite-store.md",
  },
  {
    id: "store-one-wins",
    promise: "Of two writers that expect the same revision one wins and the other is told.",
    source: "docs/decisions/0002-sqlite-store.md",
  },
  {
    id: "store-changes-seen",
    promise: "A change made by one process is seen by the others within a second.",
    source: "docs/decisions/0002-sqlite-store.md",
  },
  {
    id: "store-lock-freezes-nobody",
    promise: "A process that holds the write lock for two seconds stops nobody's reads.",
    source: "docs/decisions/0002-sqlite-store.md",
  },
  {
    id: "store-kill-safe",
    promise: "After SIGKILL in the middle of a write every acknowledged write is there and nothing is half done.",
    source: "docs/decisions/0002-sqlite-store.md",
  },
  {
    id: "store-quarantine",
    promise: "A damaged row is listed with its reason and stops nothing else.",
    source: "docs/decisions/0002-sqlite-store.md",
  },
  {
    id: "store-sick-disk",
    promise: "On a full or read-only disk reads go on, writes are refused clearly, and work again when it is well.",
    source: "docs/decisions/0002-sqlite-store.md",
  },
];
