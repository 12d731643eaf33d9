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
  {
    id: "mcp-cancel",
    promise: "A client that cancels ends the run, not only the wait for it.",
    source: "https://modelcontextprotocol.io/specification/2026-07-28/basic/utilities/cancellation",
  },
  {
    id: "mcp-notices-once",
    promise: "A change of the list of tools is told once, to those whose list has changed.",
    source: "https://modelcontextprotocol.io/specification/2026-07-28/server/tools#list-changed-notification",
  },
  {
    id: "mcp-session-survives",
    promise: "A session of the older era goes on in another process on the same store.",
    source: "docs/decisions/0004-own-protocol-front.md",
  },
  {
    id: "mcp-session-owner",
    promise: "A session is unknown to everybody but the principal that opened it.",
    source: "https://modelcontextprotocol.io/specification/2025-11-25/basic/security_best_practices#session-hijacking",
  },
  {
    id: "mcp-state-bound",
    promise: "Answers to questions count only for the caller and the request that the questions came from.",
    source: "https://modelcontextprotocol.io/specification/2026-07-28/basic/utilities/mrtr",
  },
  {
    id: "mcp-rebinding",
    promise: "A web page that a browser has loaded from elsewhere cannot reach a server on the loopback.",
    source: "https://modelcontextprotocol.io/specification/2026-07-28/basic/transports#security-warning",
  },
  {
    id: "mcp-pages",
    promise: "A list that changes between two pages loses and repeats nothing that stays.",
    source: "https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination",
  },
];
