import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import type { Budget } from "./budget.ts";
import { pathOf, rootPlace, type Place } from "./json-path/evaluate.ts";

/** Of a longer value only the beginning is shown, as its JSON. */
const SHOWN_CHARS = 1_000;

/**
 * Finds the smallest members that have all words, in keys or values, whatever their case, with their paths.
 *
 * @param words in lower case
 * @param emit gets `{ path, value }`, in the order of the value; may throw to end the search
 */
export function findMembers(
  value: Json,
  words: readonly string[],
  budget: Budget,
  emit: (match: JsonObject) => void,
): void {
  const all = 2 ** words.length - 1;

  const wordsIn = (text: string): number => {
    const lower = text.toLowerCase();
    return words.reduce((found, word, at) => (lower.includes(word) ? found | (1 << at) : found), 0);
  };

  /** @returns the words it has, as bits, or -1 when it or something in it was emitted */
  const look = (place: Place, fromKey: number): number => {
    budget.step();
    let found = fromKey;
    const below = (key: string | number, child: Json) => {
      const own = look({ value: child, key, parent: place }, typeof key === "string" ? wordsIn(key) : 0);
      found = own < 0 || found < 0 ? -1 : found | own;
    };
    const { value: here } = place;
    if (Array.isArray(here)) budget.deeper(() => here.forEach((child, at) => below(at, child)));
    else if (isJsonObject(here)) budget.deeper(() => Object.keys(here).forEach((key) => below(key, here[key] as Json)));
    else found |= wordsIn(String(here));
    if (found !== all) return found;
    emit({ path: pathOf(place), value: shown(here) });
    return -1;
  };
  look(rootPlace(value), 0);
}

function shown(value: Json): Json {
  const json = JSON.stringify(value);
  return json.length <= SHOWN_CHARS ? value : `${json.slice(0, SHOWN_CHARS)}...`;
}
