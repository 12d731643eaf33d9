import type { Json, JsonObject } from "../core/json.ts";

/** How much fits into one answer, counted as it is written: as JSON, in characters and in bytes of UTF-8. */
export class Room {
  #chars: number;
  #bytes: number;

  constructor(chars: number, bytes: number) {
    this.#chars = chars;
    this.#bytes = bytes;
  }

  /** As much of a text as fits, never a part of a character. @returns at least one, unless there is none */
  head(text: string, from: number): string {
    let chunk = text.slice(from, from + this.#chars);
    while (chunk.length > 1) {
      const bytes = Buffer.byteLength(JSON.stringify(chunk));
      if (bytes <= this.#bytes) break;
      chunk = chunk.slice(0, Math.max(1, Math.floor(chunk.length * (this.#bytes / bytes) * 0.95)));
    }
    const isCutWithin = /[\uD800-\uDBFF]$/.test(chunk) && from + chunk.length < text.length;
    return isCutWithin ? text.slice(from, from + Math.max(chunk.length - 1, 2)) : chunk;
  }

  /** The value, or what it is when it alone is more than fits: with its path, so that it can be taken apart. */
  fitting(value: Json, path: string): Json {
    const json = JSON.stringify(value);
    if (this.#fits(json)) return value;
    if (typeof value === "string") return this.#outline(path, { type: "string", chars: value.length });
    if (Array.isArray(value)) return this.#outline(path, { type: "array", length: value.length });
    return this.#outline(path, { type: "object", keys: Object.keys(value ?? {}).slice(0, 50).map((key) => key.slice(0, 100)) }); // prettier-ignore
  }

  /**
   * @param work gets a function that takes room for a value, and ends the work when there is none
   * @returns whether it was ended
   */
  collect(work: (take: (value: Json) => void) => void): boolean {
    try {
      work((value) => {
        const json = JSON.stringify(value);
        if (!this.#fits(json)) throw FULL;
        this.#chars -= json.length + 1;
        this.#bytes -= Buffer.byteLength(json) + 1;
      });
      return false;
    } catch (error) {
      if (error !== FULL) throw error;
      return true;
    }
  }

  #fits(json: string): boolean {
    return json.length <= this.#chars && Buffer.byteLength(json) <= this.#bytes;
  }

  #outline(path: string, about: JsonObject): JsonObject {
    return { "too large": { path: path.slice(0, 1_000), ...about } };
  }
}

const FULL = new Error("there is no more room");
