import { Crowd } from "../../core/crowd.ts";
import type { Deadline } from "../../core/deadline.ts";
import type { JsonObject } from "../../core/json.ts";
import { keepRawText } from "../../core/raw-text.ts";
import { RemoteError } from "../../core/remote-error.ts";
import { LOG_LEVELS, type LogLevel } from "../../core/source.ts";
import type { ConnectOptions, Era, Relay, RequestOptions, Upstream, UpstreamAbout, UpstreamEnd } from "../upstream.ts";
import { Listening } from "./listening.ts";
import { MetaText, paramsText } from "./meta-text.ts";
import { Questions } from "./questions.ts";
import type { Wire, WireMessage, WireRequest } from "./wire.ts";

/**
 * One connection to a server, over any wire: mints ids, tells apart what belongs to which request, and says things the way
 * the server's era wants them said. A progress token is the id of its request, and no id is used twice: what comes late
 * finds nobody.
 *
 * It is made with its wire, talked over by `negotiate.ts`, and is an {@link Upstream} from `open` on.
 */
export class Peer implements Upstream {
  readonly wire: Wire;
  readonly ended: Promise<UpstreamEnd>;
  readonly options: ConnectOptions;
  readonly #meta: MetaText;
  readonly #questions: Questions;
  readonly #calls = new Crowd<Call>();
  /** Those that have a client behind them. */
  readonly #relayed = new Crowd<Call>();
  #lastId = 0;
  #about: UpstreamAbout | undefined;
  #listening: Listening | undefined;

  /** @param connectWire gets what takes the messages that came on no request's own stream */
  constructor(options: ConnectOptions, connectWire: (onMessage: (message: WireMessage) => void) => Wire) {
    this.options = options;
    this.#meta = new MetaText(options.client, options.capabilities);
    this.wire = connectWire((message) => this.#take(message, undefined));
    this.#questions = new Questions(this.wire);
    this.ended = this.wire.ended;
    void this.ended.then(() => this.#listening?.stop());
  }

  get about(): UpstreamAbout {
    if (!this.#about) throw new Error("not negotiated yet");
    return this.#about;
  }

  /** It has been found out how to talk to the server. */
  open(about: UpstreamAbout): Upstream {
    this.#about = about;
    if (about.era === "modern") {
      this.#listening = new Listening(this, about.capabilities);
      this.#listening.start();
    }
    return this;
  }

  request(method: string, params: JsonObject, options: RequestOptions): Promise<JsonObject> {
    if (this.#listening && (method === "resources/subscribe" || method === "resources/unsubscribe")) {
      const { uri } = params;
      if (typeof uri === "string") this.#listening.watch(uri, method === "resources/subscribe");
      return Promise.resolve({});
    }
    return this.say(this.about.era, method, params, options);
  }

  /** A request in the words of an era; for those who find out which. */
  async say(era: Era, method: string, params: JsonObject, options: RequestOptions): Promise<JsonObject> {
    const { deadline, relay } = options;
    const id = ++this.#lastId;
    // The start of a connection is not called off (`initialize` must not be): who waits for it closes the wire.
    const mayCancel = this.#about !== undefined;
    const headers =
      this.#about?.transport === "http" && era === "modern" ? withName(method, params, options) : undefined;
    const call = new Call(this.#take, id, method, deadline, headers, relay);
    this.#calls.add(call);
    if (relay) this.#relayed.add(call);
    try {
      const text = paramsText(params, this.#meta.of(era, id, relay));
      const body = `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${text}}`;
      const answer = await this.wire.request(id, body, call);
      if ("error" in answer) throw new RemoteError(this.options.name, answer.error);
      if (answer.text !== undefined) keepRawText(answer.result, answer.text);
      return answer.result;
    } catch (error) {
      if (deadline.reason && mayCancel) this.#cancel(id, deadline);
      throw error;
    } finally {
      this.#calls.remove(call);
      if (relay) this.#relayed.remove(call);
    }
  }

  notify(method: string, params: JsonObject): void {
    this.wire.send(JSON.stringify({ jsonrpc: "2.0", method, params }));
  }

  async close(): Promise<void> {
    this.#listening?.stop();
    await this.wire.close();
  }

  #cancel(requestId: number, deadline: Deadline): void {
    this.notify("notifications/cancelled", { requestId, reason: deadline.error().message });
  }

  /** @param own the request on whose stream it came, where there are such streams */
  readonly #take = (message: WireMessage, own: Call | undefined): void => {
    if (message.kind === "request") {
      const relay = own ? own.relay : this.#onlyRelay();
      // In 2026-07-28 a server asks in its results alone.
      const ask = relay ?? { ask: this.options.onQuestion };
      this.#questions.take(message, this.#about?.era === "modern" ? undefined : ask);
      return;
    }
    const { method, params } = message;
    switch (method) {
      case "notifications/progress":
        this.#progress(params);
        return;
      case "notifications/cancelled":
        this.#questions.forget(params["requestId"]);
        return;
      case "notifications/subscriptions/acknowledged":
        this.#listening?.acknowledged();
        return;
      case "notifications/message": {
        const relay = own?.relay ?? this.#onlyRelay();
        if (relay) log(relay, params);
        else this.options.onNotification(method, params);
        return;
      }
      default:
        this.options.onNotification(method, params);
    }
  };

  #onlyRelay(): Relay | undefined {
    if (this.#relayed.size !== 1) return undefined;
    return this.#relayed.find(() => true)?.relay;
  }

  #progress({ progressToken, progress, total, message }: JsonObject): void {
    const relay = this.#calls.find(({ id }) => id === progressToken)?.relay;
    if (!relay?.progress || typeof progress !== "number") return;
    relay.progress(
      progress,
      typeof total === "number" ? total : undefined,
      typeof message === "string" ? message : undefined,
    );
  }
}

/** One request under way. */
class Call implements WireRequest {
  readonly id: number;
  readonly method: string;
  readonly deadline: Deadline;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly relay: Relay | undefined;
  readonly #take: (message: WireMessage, own: Call) => void;

  constructor(
    take: (message: WireMessage, own: Call) => void,
    id: number,
    method: string,
    deadline: Deadline,
    headers: Readonly<Record<string, string>> | undefined,
    relay: Relay | undefined,
  ) {
    this.#take = take;
    this.id = id;
    this.method = method;
    this.deadline = deadline;
    this.headers = headers;
    this.relay = relay;
  }

  onMessage(message: WireMessage): void {
    this.#take(message, this);
  }
}

/** What is repeated as a header beside the arguments' own: what the request is for. */
function withName(method: string, params: JsonObject, { headers }: RequestOptions) {
  const name = method === "resources/read" ? params["uri"] : NAMED.has(method) ? params["name"] : undefined;
  return typeof name === "string" ? { ...headers, "mcp-name": name } : headers;
}

const NAMED = new Set(["tools/call", "prompts/get"]);

function log(relay: Relay, { level, data, logger }: JsonObject): void {
  if (!(LOG_LEVELS as readonly unknown[]).includes(level)) return;
  relay.log(level as LogLevel, data ?? null, typeof logger === "string" ? logger : undefined);
}
