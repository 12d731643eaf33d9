import { createDictionary, type Dictionary } from "./dictionary.ts";
import { FIELDS, type FieldWords } from "./fields.ts";

/** Which documents have a term, and where in them. Documents are told apart by their slot, a small number. */
export interface Postings {
  /** Slots in use and given up; slots are below this. */
  readonly slotCount: number;
  /** Documents that count: for rarity and average lengths. */
  readonly documentCount: number;
  readonly dictionary: Dictionary;
  /** @param counts false for one that is no document of its own: it makes no word less rare */
  add(words: readonly FieldWords[], counts: boolean): number;
  remove(slot: number): void;
  /** Of how many documents it is a word. */
  documentsWith(term: number): number;
  /** How rare a term is, from 0. */
  rarityOf(term: number | undefined): number;
  /** Calls `visit` for each living slot with this term: how often it is there, by fields and their lengths. */
  forEach(term: number, visit: (slot: number, frequency: number, isInName: boolean) => void): void;
  /** Rarity of all words of its name together. */
  nameRarityOf(slot: number): number;
  /** Many slots are given up: time to make new postings from the documents. */
  readonly isWorn: boolean;
}

/** A posting is one number: slot, field, count. */
const COUNT_BITS = 6;
const COUNT_MASK = 63;
const FIELD_BITS = 3;
const FIELD_MASK = 7;
const SLOT_BITS = COUNT_BITS + FIELD_BITS;
const NAME = 0;

const WEIGHT = FIELDS.map(({ weight }) => weight);
const FLOOR = FIELDS.map(({ b }) => 1 - b);

export function createPostings(): Postings {
  const dictionary = createDictionary();
  const lists: number[][] = [];
  const having: number[] = [];
  /** Of each slot: its terms, one for each field they are in, and the fields. Undefined once given up. */
  const slots: ({ terms: Uint32Array; nameTerms: number; counts: boolean } | undefined)[] = [];
  /** Of each slot, the lengths of its fields. */
  const lengths: number[] = [];
  const totals = FIELDS.map(() => 0);
  let documentCount = 0;
  let given = 0;

  /** Of a document: how many have each of its terms, and the lengths of their fields, `by` more or less. */
  function account(slot: number, terms: Uint32Array, by: 1 | -1): void {
    for (const id of new Set(terms)) having[id] = (having[id] ?? 0) + by;
    for (let field = 0; field < FIELDS.length; field++) {
      totals[field] = (totals[field] ?? 0) + by * (lengths[(slot << FIELD_BITS) | field] ?? 0);
    }
    documentCount += by;
  }

  function rarityOf(term: number | undefined): number {
    const count = term === undefined ? 0 : (having[term] ?? 0);
    return Math.log(1 + (documentCount - count + 0.5) / (count + 0.5));
  }

  return {
    get slotCount() {
      return slots.length;
    },
    get documentCount() {
      return documentCount;
    },
    dictionary,
    documentsWith: (term) => having[term] ?? 0,
    rarityOf,

    add(words, counts) {
      const slot = slots.length;
      const terms = new Uint32Array(words.reduce((sum, { counts: each }) => sum + each.size, 0));
      let at = 0;
      let nameTerms = 0;
      for (const { field, length, counts: each } of words) {
        lengths[(slot << FIELD_BITS) | field] = length;
        for (const [term, count] of each) {
          const id = dictionary.add(term);
          (lists[id] ??= []).push((slot << SLOT_BITS) | (field << COUNT_BITS) | Math.min(count, COUNT_MASK));
          terms[at++] = id;
        }
        if (field === NAME) nameTerms = at;
      }
      for (let field = 0; field <= FIELD_MASK; field++) lengths[(slot << FIELD_BITS) | field] ??= 0;
      slots.push({ terms, nameTerms, counts });
      if (counts) account(slot, terms, 1);
      return slot;
    },

    remove(slot) {
      const gone = slots[slot];
      if (!gone) return;
      slots[slot] = undefined;
      given++;
      if (gone.counts) account(slot, gone.terms, -1);
    },

    forEach(term, visit) {
      const list = lists[term] ?? [];
      const perWord = FIELDS.map(({ b }, field) => (b * documentCount) / Math.max(totals[field] ?? 0, 1));
      for (let i = 0; i < list.length; ) {
        const slot = (list[i] ?? 0) >>> SLOT_BITS;
        const isInName = (((list[i] ?? 0) >>> COUNT_BITS) & FIELD_MASK) === NAME;
        let frequency = 0;
        for (; i < list.length; i++) {
          const posting = list[i] ?? 0;
          if (posting >>> SLOT_BITS !== slot) break;
          const field = (posting >>> COUNT_BITS) & FIELD_MASK;
          const length = lengths[(slot << FIELD_BITS) | field] ?? 0;
          frequency += ((WEIGHT[field] ?? 0) * (posting & COUNT_MASK)) / ((FLOOR[field] ?? 1) + (perWord[field] ?? 0) * length);
        }
        if (slots[slot] !== undefined) visit(slot, frequency, isInName);
      }
    },

    nameRarityOf(slot) {
      const { terms, nameTerms } = slots[slot] ?? { terms: [], nameTerms: 0 };
      let sum = 0;
      for (let i = 0; i < nameTerms; i++) sum += rarityOf(terms[i]);
      return sum;
    },

    get isWorn() {
      return given > 500 && given > slots.length / 2;
    },
  };
}
