import { hasCode } from "../../core/errors.ts";
import { isTooDeep, type Json, type JsonObject } from "../../core/json.ts";
import { RemoteError, type RpcError } from "../../core/remote-error.ts";
import type { ClientCan } from "../../core/source.ts";
import { RPC } from "./protocol.ts";
import type { Wire, WireMessage } from "./wire.ts";

/** Unanswered at once; a server that asks more is told so. */
const MAX_OPEN = 64;

/** Whoever is asked; absent `can`: it decides itself. */
interface Asked {
  readonly can?: ClientCan;
  ask(method: string, params: JsonObject): Promise<JsonObject>;
}

type Question = Extract<WireMessage, { kind: "request" }>;

/** Requests of a server of the older era. Each is answered once; one that the server takes back, not at all. */
export class Questions {
  readonly #wire: Wire;
  readonly #open = new Map<string | number, object>();

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** @param asked undefined: nobody may be asked */
  take(question: Question, asked: Asked | undefined): void {
    const { id, method } = question;
    if (method === "ping") this.#send(id, { result: {} });
    else if (!asked || !mayAsk(question, asked.can)) {
      this.#send(id, {
        error: { code: RPC.methodNotFound, message: `the client does not answer ${method.slice(0, 200)}` },
      });
    } else if (this.#open.has(id)) return;
    else if (this.#open.size >= MAX_OPEN) {
      this.#send(id, { error: { code: RPC.internalError, message: `more than ${MAX_OPEN} questions at once` } });
    } else void this.#ask(question, asked);
  }

  /** The server does not wait for it any more. */
  forget(id: Json | undefined): void {
    if (typeof id === "string" || typeof id === "number") this.#open.delete(id);
  }

  async #ask({ id, method, params }: Question, asked: Asked): Promise<void> {
    const mark = {};
    this.#open.set(id, mark);
    let answer: { result: JsonObject } | { error: RpcError };
    try {
      const result = await asked.ask(method, params);
      answer = isTooDeep(result) ? { error: TOO_DEEP } : { result };
    } catch (error) {
      answer = { error: asRpc(error) };
    }
    if (this.#open.get(id) !== mark) return;
    this.#open.delete(id);
    this.#send(id, answer);
  }

  #send(id: string | number, answer: { result: JsonObject } | { error: RpcError }): void {
    this.#wire.send(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
  }
}

const TOO_DEEP: RpcError = { code: RPC.internalError, message: "the client's answer is nested too deep" };

function mayAsk({ method, params }: Question, can: ClientCan | undefined): boolean {
  switch (method) {
    case "elicitation/create":
      return !can || (params["mode"] === "url" ? can.elicitUrl : can.elicitForm);
    case "sampling/createMessage":
      return !can || can.sampling;
    case "roots/list":
      return !can || can.roots;
    default:
      return false;
  }
}

function asRpc(error: unknown): RpcError {
  if (error instanceof RemoteError) return error.rpc;
  const code = hasCode(error, "CAPABILITY_MISSING") ? RPC.methodNotFound : RPC.internalError;
  return { code, message: error instanceof Error ? error.message : "the client did not answer" };
}
