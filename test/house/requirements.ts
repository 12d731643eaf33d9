import type { Promised } from "./promised.ts";
import { SERVER_REQUIREMENTS } from "./server-requirements.ts";

/**
 * What we promise, and where the promise comes from. Tests cite an id in brackets at the end of their title:
 *
 *   it("ends the run when the client cancels [call-cancel]", ...)
 *
 * A promise that no test cites fails, and so does a citation of something that is not promised.
 */
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
  {
    id: "job-main",
    promise:
      "A tool is made from code while the server runs, called, changed, rolled back and deleted, and survives restarts.",
    source: "README.md",
  },
  {
    id: "job-other-clients",
    promise: "A tool made in one process shows up in another within a second.",
    source: "README.md",
  },
  {
    id: "job-megabyte",
    promise: "A megabyte of arguments and of result works.",
    source: "docs/dynamic-tools.md",
  },
  {
    id: "job-older-readme",
    promise: "The older system's own examples of create and call run unchanged.",
    source: "docs/dynamic-tools.md",
  },
  {
    id: "call-one-slot",
    promise: "A child call shares its parent's slot: a limit of one does not deadlock.",
    source: "docs/architecture.md",
  },
  {
    id: "call-deadline",
    promise: "A deadline really stops the run.",
    source: "docs/architecture.md",
  },
  {
    id: "call-shutdown",
    promise: "A shutdown ends running calls after a grace and refuses new ones.",
    source: "docs/architecture.md",
  },
  {
    id: "call-recorded",
    promise: "A refusal is recorded like any other end.",
    source: "docs/architecture.md",
  },
  {
    id: "engine-no-way-out",
    promise: "A sandbox sees no environment, no file but its own, and cannot start a process.",
    source: "docs/security.md",
  },
  {
    id: "engine-clean-memory",
    promise: "Nothing of an earlier job is in any byte of the memory that a sandbox's next job starts from.",
    source: "docs/security.md",
  },
  {
    id: "engine-waiting-free",
    promise: "A tool's time limit begins when its run does: waiting for a free sandbox does not count.",
    source: "docs/dynamic-tools.md",
  },
  {
    id: "engine-no-orphan",
    promise: "No sandbox outlives the server, however the server ends.",
    source: "docs/security.md",
  },
  {
    id: "engine-limits-whole",
    promise: "A result past its limit is refused whole, never cut.",
    source: "docs/security.md",
  },
  {
    id: "engine-same-steps",
    promise: "The same job with the same seed and answers takes the same steps on every engine.",
    source: "docs/engines.md",
  },
  {
    id: "engine-child-not-believed",
    promise: "What a sandbox says about its own calls, output and limits is counted by the server, not believed.",
    source: "docs/security.md",
  },
  {
    id: "engine-live-bound",
    promise: "However many call at once, no more processes than the limit are started.",
    source: "docs/engines.md",
  },
  {
    id: "engine-node-jail",
    promise: "Code in a jail has no way to files, network or processes outside of it.",
    source: "docs/security.md",
  },
  {
    id: "engine-no-jail-refused",
    promise:
      "Without a jail the node engine runs nothing, unless the operator says so by name; then it is called no security boundary.",
    source: "docs/engines.md",
  },
  {
    id: "server-body-limit",
    promise: "The largest body allowed is taken, and not one byte more.",
    source: "docs/reference/configuration.md",
  },
  {
    id: "docker-daemon-faults",
    promise:
      "A Docker daemon that stops, hangs or comes back ends each call soon, and the next one runs when it is back.",
    source: "docs/engines.md",
  },
  {
    id: "docker-bounded",
    promise: "However many calls come at once, no more containers run than the operator allows.",
    source: "docs/engines.md",
  },
  {
    id: "shells-older",
    promise: "The older system's sandbox tools take the parameters that they took, and answer in the same form.",
    source: "docs/guides/shells.md",
  },
  {
    id: "shells-owned",
    promise:
      "A shell is there for the principal who started it, and for nobody else; no other container is ever touched.",
    source: "docs/guides/shells.md",
  },
  {
    id: "shells-time-limit",
    promise: "A command at its time limit is dead with all that it started, and the answer says so within a second.",
    source: "docs/guides/shells.md",
  },
  {
    id: "shells-contained",
    promise: "Nothing that goes on in a shell, links included, reads or writes anything outside of its container.",
    source: "docs/guides/shells.md",
  },
  {
    id: "docker-leftovers",
    promise:
      "What a killed server leaves on the daemon is gone after the next start; what belongs to others is not touched.",
    source: "docs/engines.md",
  },
  {
    id: "docker-images",
    promise:
      "A container is only made of an image that the operator allows, by what it is and not by how it is called.",
    source: "docs/engines.md",
  },
  {
    id: "docker-layers",
    promise: "Packages in containers are complete and cannot be changed by the code that uses them.",
    source: "docs/engines.md",
  },
  {
    id: "packages-registry-only",
    promise: "A package comes from the operator's registry by name and version, and from nowhere else, at any depth.",
    source: "docs/engines.md",
  },
  {
    id: "packages-no-scripts",
    promise: "Nothing of a package runs while it is resolved and installed, nor ever outside of a sandbox.",
    source: "docs/engines.md",
  },
  {
    id: "packages-integrity",
    promise: "What is not what was locked is refused before any of it is unpacked.",
    source: "docs/engines.md",
  },
  {
    id: "packages-contained",
    promise: "No archive, however it is made, writes outside of its layer or takes more than the limits.",
    source: "docs/engines.md",
  },
  {
    id: "packages-whole",
    promise:
      "A layer is there whole or not at all, also when its maker is killed or the disk is full, and stays while it is used.",
    source: "docs/engines.md",
  },
  {
    id: "packages-bundled-same",
    promise: "A bundled package gives what Node gives on import, or there is no bundle and the reason is said.",
    source: "docs/engines.md",
  },
  {
    id: "fetch-deny-default",
    promise: "Code reaches only hosts that both its tool and the operator name; by default none.",
    source: "docs/engines.md",
  },
  {
    id: "fetch-no-private",
    promise: "Code reaches no private, loopback, link-local or metadata address, however it is written.",
    source: "docs/engines.md",
  },
  {
    id: "fetch-bounded",
    promise: "What a fetch sends and takes is bounded, and so is its time.",
    source: "docs/reference/configuration.md",
  },
  {
    id: "secret-sealed",
    promise: "A stored secret is in no file of the data folder in clear.",
    source: "docs/engines.md",
  },
  {
    id: "secret-hidden",
    promise: "A secret that code has read does not show in its result, its console output or its error.",
    source: "docs/engines.md",
  },
  {
    id: "access-authoring",
    promise: "Where an admin token is required, nobody makes or changes tools without it.",
    source: "docs/security.md",
  },
  {
    id: "config-all-at-once",
    promise: "Everything that is wrong with the configuration is reported at once, each with its place.",
    source: "docs/reference/configuration.md",
  },
  {
    id: "config-secrets",
    promise: "No secret is ever shown.",
    source: "docs/reference/configuration.md",
  },
  {
    id: "config-older-names",
    promise:
      "Every variable and flag of the older systems is accepted: the same meaning, or a difference that is documented.",
    source: "docs/reference/configuration.md",
  },
  {
    id: "config-no-open-door",
    promise: "Listening where others reach us, without authentication, is refused unless it is said explicitly.",
    source: "docs/reference/configuration.md",
  },
  {
    id: "cli-exit-codes",
    promise: "The exit code of a command says whose fault it was.",
    source: "docs/reference/cli.md",
  },
  {
    id: "program-old-node",
    promise: "On a Node that is too old the program says in one sentence what it needs.",
    source: "README.md",
  },
  ...SERVER_REQUIREMENTS,
];
