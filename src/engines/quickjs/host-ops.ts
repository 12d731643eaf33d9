import { OP } from "../guest/ops.ts";

/**
 * What the child computes for the guest: pure functions of a few texts and bytes, with no way to the outside.
 * They save the guest a URL parser and slow loops over characters in interpreted code.
 */
export interface PureOps {
  /** @returns undefined when `op` is not one of these */
  run(op: number, text: Uint8Array, bytes: Uint8Array | undefined): string | Uint8Array | undefined;
}

/** @param random gives `count` bytes of the job's own stream, as hex */
export function createPureOps(random: (count: number) => string): PureOps {
  return {
    run(op, text, bytes) {
      const question = (): unknown => JSON.parse(Buffer.from(text).toString("utf8"));
      switch (op) {
        case OP.url:
          return JSON.stringify(parseUrl(question() as UrlQuestion));
        case OP.queryParse:
          return JSON.stringify([...new URLSearchParams(question() as string)]);
        case OP.queryFormat:
          return JSON.stringify(new URLSearchParams(question() as [string, string][]).toString());
        case OP.encode:
          return Buffer.from(question() as string, "utf8");
        case OP.decode:
          return JSON.stringify(decode(question() as DecodeQuestion, bytes ?? new Uint8Array()));
        case OP.random:
          return JSON.stringify(random(question() as number));
        default:
          return undefined;
      }
    },
  };
}

interface UrlQuestion {
  url: string;
  base?: string;
  set?: [
    "href" | "protocol" | "username" | "password" | "host" | "hostname" | "port" | "pathname" | "search" | "hash",
    string,
  ];
}

function parseUrl({ url, base, set }: UrlQuestion): object | null {
  const parsed = URL.parse(url, base);
  if (!parsed) return null;
  if (set) {
    const [name, value] = set;
    if (name === "href" && !URL.canParse(value)) return null;
    parsed[name] = value;
  }
  const { href, origin, protocol, username, password, host, hostname, port, pathname, search, hash } = parsed;
  return { href, origin, protocol, username, password, host, hostname, port, pathname, search, hash };
}

interface DecodeQuestion {
  label: string;
  fatal?: boolean;
  ignoreBOM?: boolean;
  offset?: number;
  length?: number;
}

function decode(question: DecodeQuestion, bytes: Uint8Array): { encoding?: string; text?: string } {
  const { label, fatal = false, ignoreBOM = false, offset = 0, length = 0 } = question;
  try {
    const decoder = new TextDecoder(label, { fatal, ignoreBOM });
    return { encoding: decoder.encoding, text: decoder.decode(bytes.slice(offset, offset + length)) };
  } catch {
    return {};
  }
}
