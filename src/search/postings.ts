import { createDictionary, type Dictionary } from "./dictionary.ts";
import { FIELDS, LESSONS, NAME, type FieldWords } from "./fields.ts";

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
  /** Whether any living slot has it. */
  isUsed(term: number): boolean;
  /** Of how many documents it is a word. */
  documentsWith(term: number): number;
  /** How rare a term is, from 0. */
  rarityOf(term: number | undefined): number;
  /**
   * Calls `visit` for each living slot with this term: how often it is there, by fields and their lengths; apart from
   * that, how often in its lessons.
   */
  forEach(term: number, visit: (slot: number, frequency: number, inLessons: number, isInName: boolean) => void): void;
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
/** As if there were so many more documents with other words: a few alone do not tell which words are common. */
const UNSEEN = 100;

const WEIGHT = FIELDS.map(({ weight }) => weight);
const FLOOR = FIELDS.map(({ b }) => 1 - b);

interface Slot {
  /** Once for each field that they are in, those of the name first. */
  terms: Uint32Array;
  nameTerms: number;
  counts: boolean;
}

export function createPostings(): Postings {
  const dictionary = createDictionary();
  const lists: number[][] = [];
  const having: number[] = [];
  /** Living slots with this term, of documents and others. */
  const users: number[] = [];
  /** Undefined once given up. */
  const slots: (Slot | undefined)[] = [];
  /** Of each slot, the lengths of its fields. */
  const lengths: number[] = [];
  const totals = FIELDS.map(() => 0);
  /** Documents that have the field at all: lengths are compared with theirs. */
  const withField = FIELDS.map(() => 0);
  let documentCount = 0;
  let given = 0;

  /** Of a document: how many have each of its terms, and the lengths of their fields, `by` more or less. */
  function account(slot: number, { terms, counts }: Slot, by: 1 | -1): void {
    for (const id of new Set(terms)) {
      users[id] = (users[id] ?? 0) + by;
      if (counts) having[id] = (having[id] ?? 0) + by;
    }
    if (!counts) return;
    for (let field = 0; field < FIELDS.length; field++) {
      const length = lengths[(slot << FIELD_BITS) | field] ?? 0;
      totals[field] = (totals[field] ?? 0) + by * length;
      if (length > 0) withField[field] = (withField[field] ?? 0) + by;
    }
    documentCount += by;
  }

  function rarityOf(term: number | undefined): number {
    const count = term === undefined ? 0 : (having[term] ?? 0);
    return Math.log(1 + (documentCount + UNSEEN - count + 0.5) / (count + 0.5));
  }

  return {
    get slotCount() {
      return slots.length;
    },
    get documentCount() {
      return documentCount;
    },
    dictionary,
    isUsed: (term) => (users[term] ?? 0) > 0,
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
      const made = { terms, nameTerms, counts };
      slots.push(made);
      account(slot, made, 1);
      return slot;
    },

    remove(slot) {
      const gone = slots[slot];
      if (!gone) return;
      slots[slot] = undefined;
      given++;
      account(slot, gone, -1);
    },

    forEach(term, visit) {
      const list = lists[term] ?? [];
      const perWord = FIELDS.map(({ b }, field) => (b * (withField[field] ?? 0)) / Math.max(totals[field] ?? 0, 1));
      for (let i = 0; i < list.length;) {
        const slot = (list[i] ?? 0) >>> SLOT_BITS;
        const isInName = (((list[i] ?? 0) >>> COUNT_BITS) & FIELD_MASK) === NAME;
        let frequency = 0;
        let inLessons = 0;
        for (; i < list.length; i++) {
          const posting = list[i] ?? 0;
          if (posting >>> SLOT_BITS !== slot) break;
          const field = (posting >>> COUNT_BITS) & FIELD_MASK;
          const length = lengths[(slot << FIELD_BITS) | field] ?? 0;
          const counted =
            ((WEIGHT[field] ?? 0) * (posting & COUNT_MASK)) / ((FLOOR[field] ?? 1) + (perWord[field] ?? 0) * length);
          if (field === LESSONS) inLessons += counted;
          else frequency += counted;
        }
        if (slots[slot] !== undefined) visit(slot, frequency, inLessons, isInName);
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
