import type { IncomingMessage, ServerResponse } from "node:http";
import type { Caller, Principal } from "../../core/caller.ts";
import type { Exposure } from "../../core/exposure.ts";
import type { Answer } from "../answer.ts";
import type { Channels } from "../channels.ts";
import type { Flight } from "../flight.ts";
import type { Instructions } from "../initialize.ts";
import type { Message } from "../json-rpc.ts";
import type { Lists } from "../lists.ts";
import type { Implementation } from "../results.ts";
import type { Streams } from "./streams.ts";

/** What answering a POST takes, in either era. */
export interface PostParts {
  answer: Answer;
  lists: Lists;
  channels: Channels;
  streams: Streams;
  serverInfo: Implementation;
  instructions: Instructions;
  rootsChanged: (caller: Caller) => void;
  orphanMs: number;
}

/** One request and its response. */
export interface Turn {
  request: IncomingMessage;
  response: ServerResponse;
  requestId: string;
  /** For every response. */
  headers: readonly string[];
  /** What is being answered: it ends when the connection is lost, at once or after a moment. */
  flights: readonly Flight[];
  orphanMs: number;
}

/** A POST that arrived: its body parsed, its sender known. */
export interface Post {
  turn: Turn;
  body: unknown;
  bodyBytes: number;
  principal: Principal;
  /** As the address asks for it. */
  exposure: Exposure | undefined;
}

export type Request = Extract<Message, { kind: "request" }>;
