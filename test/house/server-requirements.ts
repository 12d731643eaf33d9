import type { Promised } from "./promised.ts";

/** What we promise about other servers behind this one: how they are kept, shown, searched. */
export const SERVER_REQUIREMENTS: readonly Promised[] = [
  {
    id: "servers-start",
    promise: "A start and its first lists wait for no server.",
    source: "docs/guides/servers.md#how-it-treats-them",
  },
  {
    id: "servers-isolated",
    promise: "A server that hangs or dies, in whichever phase, harms its own calls and nothing else.",
    source: "docs/guides/servers.md#how-it-treats-them",
  },
  {
    id: "servers-quarantine",
    promise: "One malformed line of a server's list is set aside with its reason; the rest is offered.",
    source: "docs/security.md#servers-behind-this-one",
  },
  {
    id: "servers-secrets",
    promise: "Values that variables and files gave to a definition show in no result, error or log.",
    source: "docs/security.md#servers-behind-this-one",
  },
  {
    id: "servers-reload",
    promise: "A changed file restarts the servers that have changed, and no other.",
    source: "docs/guides/servers.md",
  },
  {
    id: "servers-parked",
    promise: "A call that waits for answers goes on once, for whoever began it.",
    source: "docs/decisions/0007-other-servers.md",
  },
  {
    id: "servers-four-eras",
    promise: "Everything is relayed in all four combinations of the protocol's eras.",
    source: "docs/guides/servers.md#how-it-treats-them",
  },
  {
    id: "servers-raw",
    promise: "What a server answers reaches the client as it came, unknown members included.",
    source: "docs/guides/servers.md#how-it-treats-them",
  },
  {
    id: "servers-own-answer",
    promise: "After a call that was given up, the next one gets its own answer.",
    source: "docs/guides/servers.md#how-it-treats-them",
  },
  {
    id: "servers-own-client",
    promise: "A server's question reaches the client of the call that it belongs to, and no other.",
    source: "docs/security.md#servers-behind-this-one",
  },
  {
    id: "servers-bounded",
    promise: "What a server sends is bounded, and what is too large fails its own call alone.",
    source: "docs/security.md#servers-behind-this-one",
  },
  {
    id: "servers-killed",
    promise: "Calls at a server that is killed fail at once.",
    source: "docs/guides/servers.md#how-it-treats-them",
  },
  {
    id: "servers-no-orphan",
    promise: "Whatever ends the program, the servers that it started end with it, and all that they started.",
    source: "docs/guides/servers.md#how-it-treats-them",
  },
  {
    id: "servers-own-origin",
    promise: "A token for a server reaches its origin alone.",
    source: "docs/security.md#servers-behind-this-one",
  },
  {
    id: "results-owned",
    promise: "A kept result is found by its owner alone, until it expires.",
    source: "docs/security.md#what-is-written-down",
  },
  {
    id: "results-whole",
    promise: "A program gets a large result whole.",
    source: "docs/guides/servers.md#what-models-see",
  },
  {
    id: "list-fixed-surface",
    promise: "A list that finds tools by search is the same bytes with one server or seventy, and at most 800 tokens.",
    source: "docs/decisions/0008-exposure-and-search.md",
  },
  { id: "search-own-view", promise: "A search finds only what its caller may use.", source: "docs/guides/search.md" },
  {
    id: "search-names-first",
    promise: "A name as a query finds that name first, whatever was learnt.",
    source: "docs/guides/search.md",
  },
  {
    id: "attach-operator",
    promise: "Servers are attached by the operator alone.",
    source: "docs/security.md#servers-behind-this-one",
  },
  {
    id: "mcp-sse-owner",
    promise: "A stream of HTTP+SSE takes messages from whoever opened it alone.",
    source: "https://modelcontextprotocol.io/specification/2024-11-05/basic/transports",
  },
  {
    id: "config-last-good",
    promise: "A configuration file that cannot be used changes nothing, and it is said why.",
    source: "docs/guides/servers.md",
  },
];
