import type { ItemKind } from "../core/item.ts";

/** Of what is told; the rest is a number. */
const SHOWN = { items: 8, chars: 100 };

/** What servers list and another server has already: each is told once, until that is something else. */
export class Losses {
  readonly #told = new Map<string, string>();
  #noted = new Map<string, string[]>();

  /** @param holder the server that has it */
  note(server: string, what: string, holder: string | undefined): void {
    const noted = this.#noted.get(server) ?? [];
    this.#noted.set(server, noted);
    noted.push(noted.length < SHOWN.items ? `${what.slice(0, SHOWN.chars)} (${holder ?? "another"})` : "");
  }

  /** Those that were noted since the last time. */
  tellThose(kind: ItemKind, tell: (server: string, text: string) => void): void {
    for (const server of this.#told.keys()) if (!this.#noted.has(server)) this.#told.delete(server);
    for (const [server, noted] of this.#noted) {
      const text = textOf(kind, noted);
      if (this.#told.get(server) === text) continue;
      this.#told.set(server, text);
      tell(server, text);
    }
    this.#noted = new Map();
  }
}

function textOf(kind: ItemKind, noted: readonly string[]): string {
  const isOne = noted.length === 1;
  const isByUri = kind === "resource" || kind === "template";
  const why = isByUri
    ? isOne
      ? "is read at another server, which listed it first"
      : "are read at other servers, which listed them first"
    : isOne
      ? "has a suffix, for another server has its name"
      : "have a suffix, for other servers have their names";
  const more = noted.length > SHOWN.items ? ` and ${noted.length - SHOWN.items} more` : "";
  return `${noted.length} of its ${kind}s ${why}: ${noted.slice(0, SHOWN.items).join(", ")}${more}`;
}
