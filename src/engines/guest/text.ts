import { decodeBytes, encodeBytes } from "./bridge.ts";
import { DOMException } from "./dom-exception.ts";

/** TextEncoder, TextDecoder, atob, btoa. */

export class TextEncoder {
  get encoding(): string {
    return "utf-8";
  }

  encode(text: unknown = ""): Uint8Array {
    return new Uint8Array(encodeBytes(String(text)));
  }

  encodeInto(text: unknown, target: Uint8Array): { read: number; written: number } {
    let read = 0;
    let written = 0;
    for (const character of String(text)) {
      const bytes = this.encode(character);
      if (written + bytes.length > target.length) break;
      target.set(bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}

interface DecoderOptions {
  fatal?: boolean;
  ignoreBOM?: boolean;
}

export class TextDecoder {
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;

  constructor(label: unknown = "utf-8", options: DecoderOptions = {}) {
    this.fatal = Boolean(options.fatal);
    this.ignoreBOM = Boolean(options.ignoreBOM);
    const answer = decodeBytes({ label: String(label) }, new ArrayBuffer(0)) as { encoding?: string };
    if (answer.encoding === undefined) throw new RangeError(`unknown encoding ${String(label)}`);
    this.encoding = answer.encoding;
  }

  decode(bytes?: ArrayBufferLike | ArrayBufferView, options: { stream?: boolean } = {}): string {
    if (options.stream) throw new TypeError("TextDecoder: { stream: true } is not available in the quickjs engine");
    if (bytes === undefined) return "";
    const isView = ArrayBuffer.isView(bytes);
    const buffer = isView ? bytes.buffer : bytes;
    const answer = decodeBytes(
      {
        label: this.encoding,
        fatal: this.fatal,
        ignoreBOM: this.ignoreBOM,
        offset: isView ? bytes.byteOffset : 0,
        length: bytes.byteLength,
      },
      buffer,
    ) as { text?: string };
    if (answer.text === undefined) throw new TypeError(`the bytes are not valid ${this.encoding}`);
    return answer.text;
  }
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Map([...ALPHABET].map((character, value) => [character.charCodeAt(0), value]));

/** @see WHATWG HTML, section 8.3 "Base64 utility methods" */
export function btoa(data: unknown): string {
  const text = String(data);
  let out = "";
  for (let i = 0; i < text.length; i += 3) {
    const a = text.charCodeAt(i);
    const b = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
    const c = i + 2 < text.length ? text.charCodeAt(i + 2) : 0;
    if (a > 255 || b > 255 || c > 255) {
      throw new DOMException(
        "btoa takes characters up to U+00FF; encode the text with TextEncoder first",
        "InvalidCharacterError",
      );
    }
    const bits = (a << 16) | (b << 8) | c;
    out += ALPHABET.charAt(bits >> 18) + ALPHABET.charAt((bits >> 12) & 63);
    out += i + 1 < text.length ? ALPHABET.charAt((bits >> 6) & 63) : "=";
    out += i + 2 < text.length ? ALPHABET.charAt(bits & 63) : "=";
  }
  return out;
}

/** @see WHATWG Infra, "forgiving-base64 decode" */
export function atob(data: unknown): string {
  let text = String(data).replace(/[\t\n\f\r ]/g, "");
  if (text.length % 4 === 0) text = text.replace(/==?$/, "");
  const invalid = () => new DOMException("the text is not valid base64", "InvalidCharacterError");
  if (text.length % 4 === 1) throw invalid();
  const out: string[] = [];
  let bits = 0;
  let held = 0;
  for (let i = 0; i < text.length; i++) {
    const value = VALUES.get(text.charCodeAt(i));
    if (value === undefined) throw invalid();
    bits = ((bits << 6) | value) & 0xffffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push(String.fromCharCode((bits >> held) & 255));
    }
  }
  return out.join("");
}
