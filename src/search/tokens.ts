import { stem } from "./stem.ts";

/** Of one word; the rest is not looked at. */
const MAX_WORD_CHARS = 40;
const MAX_CACHED_WORDS = 10_000;

const ASCII = /^[\0-\x7f]*$/;
const ASCII_WORD = /[a-z\d]+(?:'[a-z]{1,2}\b)?/gi;
const ANY_WORD = /[\p{L}\p{N}\p{M}]+(?:['\u2019]\p{L}{1,2}(?!\p{L}))?/gu;
/** Written without spaces: indexed as overlapping pairs of characters. */
const SPACELESS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー]+/gu;
/** Pieces of `readTextFile`, `HTTPServer`, `base64`. */
const PIECE = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g;
const FOLDED: Record<string, string> = { ß: "ss", ø: "o", ł: "l", æ: "ae", œ: "oe", đ: "d", ı: "i", ð: "d", þ: "th" };

/** A word in the form it is indexed in, and the same word as it was written, in lower case. */
export interface Token {
  term: string;
  word: string;
  /** A piece of a word that is also there whole. */
  isPiece: boolean;
  /** Its pieces follow. */
  hasPieces: boolean;
}

/** Words of any text: identifiers split, accents folded, English stemmed, scripts without spaces in pairs. */
export function createTokenizer(): (text: string) => Token[] {
  const known = new Map<string, readonly Token[]>();

  function ofWord(word: string, isAscii: boolean): readonly Token[] {
    const cached = known.get(word);
    if (cached) return cached;
    const short = word.slice(0, MAX_WORD_CHARS).replace(/['\u2019].*$/, "");
    const tokens = isAscii ? identifier(short) : foreign(short);
    if (known.size >= MAX_CACHED_WORDS) known.clear();
    known.set(word, tokens);
    return tokens;
  }

  return (text) => {
    const isAscii = ASCII.test(text);
    const found: Token[] = [];
    for (const word of text.match(isAscii ? ASCII_WORD : ANY_WORD) ?? []) {
      for (const token of ofWord(word, isAscii)) found.push(token);
    }
    return found;
  };
}

/** A text with accents folded, in lower case; for comparing names. */
export function folded(text: string): string {
  const lower = text.toLowerCase();
  if (ASCII.test(lower)) return lower;
  const bare = lower
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFC")
    .toLowerCase();
  return bare.replace(/[ßøłæœđıðþ]/g, (letter) => FOLDED[letter] ?? letter);
}

function identifier(word: string): Token[] {
  const lower = word.toLowerCase();
  const whole = { term: stem(lower), word: lower, isPiece: false };
  const pieces = word.match(PIECE) ?? [];
  const parts =
    pieces.length < 2
      ? []
      : pieces
          .map((piece) => piece.toLowerCase())
          .filter((piece) => piece.length > 2 || (piece.length > 1 && !/\d/.test(lower)))
          .map((piece) => ({ term: stem(piece), word: piece, isPiece: true, hasPieces: false }));
  return [{ ...whole, hasPieces: parts.length > 0 }, ...parts];
}

function foreign(word: string): Token[] {
  if (ASCII.test(word)) return identifier(word);
  const found: Token[] = [];
  const add = (part: string) => found.push({ term: part, word: part, isPiece: false, hasPieces: false });
  let end = 0;
  const latin = (part: string) => {
    // Case marks pieces in any script, but only ours have names like that.
    const plain = folded(part);
    if (ASCII.test(part)) found.push(...identifier(part));
    else if (plain !== "") found.push({ term: stem(plain), word: plain, isPiece: false, hasPieces: false });
  };
  for (const { 0: run, index } of word.normalize("NFKC").matchAll(SPACELESS)) {
    const characters = Array.from(run);
    if (index > end) latin(word.normalize("NFKC").slice(end, index));
    if (characters.length === 1) add(run);
    for (let i = 0; i + 1 < characters.length; i++) add(`${characters[i]}${characters[i + 1]}`);
    end = index + run.length;
  }
  const rest = word.normalize("NFKC").slice(end);
  if (rest !== "") latin(rest);
  return found;
}
