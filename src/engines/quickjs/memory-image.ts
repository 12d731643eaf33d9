/**
 * The start that every job gets: a copy of an interpreter's memory that has just been made, and the way back to it.
 *
 * Only what is not zero is kept, in pieces. On the way back they are written again and all else that may have been
 * touched becomes zero: between the pieces (the C stack), and after the last up to where the heap has ever reached.
 * Afterwards the whole memory equals that of the start, byte for byte, so nothing of an earlier job is in it.
 */
export interface MemoryImage {
  /** Makes a memory that jobs have used, or one that is new, the same as the copied one. It may be longer. */
  restore(heap: Uint8Array): void;
}

interface Piece {
  at: number;
  bytes: Uint8Array;
}

/** The stack, unused between calls, is the one large stretch of zeros between static data and heap. */
const GAP_BYTES = 1024 * 1024;
const BLOCK = new Uint8Array(64 * 1024);
/**
 * Below the lowest dirty block of a stack so many clean ones are looked at. Together they are as large as all of the
 * stack that a guest may use, so no frame can hold its dirt beyond them, one with much unused room included.
 */
const CLEAN_BLOCKS = 16;
/** Larger than what the allocator has left of what it took last, so that it takes more. */
const PROBE_BYTES = 1024 * 1024;

/**
 * Copies the memory of `instance`, which is written to afterwards: to `restore` it is what a job leaves.
 * @throws Error when the build of the interpreter is not as we know it
 */
export function copyMemory(instance: { bytes(): Uint8Array; malloc(bytes: number): number }): MemoryImage {
  const pieces = piecesOf(instance.bytes());
  const last = pieces.at(-1);
  if (!last) throw new Error("the interpreter's memory is empty");
  const lastEnd = endOf(last);
  const heapEndAt = findHeapEnd(instance, lastEnd);

  return {
    restore(heap) {
      // Of a memory that is new it is the start of the heap or zero.
      const heapEnd = new DataView(heap.buffer, heap.byteOffset).getUint32(heapEndAt, true);
      if (heapEnd > lastEnd) heap.fill(0, lastEnd, Math.min(heapEnd, heap.byteLength));
      let from = 0;
      for (const piece of pieces) {
        wipeDownwards(heap, from, piece.at);
        heap.set(piece.bytes, piece.at);
        from = endOf(piece);
      }
    },
  };
}

const endOf = ({ at, bytes }: Piece) => at + bytes.byteLength;

/** Looks instead of writing zeros: a page that nobody has written to takes no room until somebody does. */
function wipeDownwards(heap: Uint8Array, from: number, to: number): void {
  const view = Buffer.from(heap.buffer, heap.byteOffset, heap.byteLength);
  let clean = 0;
  for (let end = to; end > from && clean < CLEAN_BLOCKS; end -= BLOCK.byteLength) {
    const start = Math.max(from, end - BLOCK.byteLength);
    if (view.compare(BLOCK, 0, end - start, start, end) === 0) {
      clean++;
    } else {
      clean = 0;
      heap.fill(0, start, end);
    }
  }
}

/** What is in use, in as few pieces as there are. */
function piecesOf(heap: Uint8Array): Piece[] {
  const words = new Uint32Array(heap.buffer, 0, heap.byteLength / 4);
  const pieces: Piece[] = [];
  let start = -1;
  let last = -1;
  const close = () => {
    if (start >= 0) pieces.push({ at: start * 4, bytes: heap.slice(start * 4, (last + 1) * 4) });
  };
  for (let i = 0; i < words.length; i++) {
    if (words[i] === 0) continue;
    if (start < 0 || (i - last) * 4 > GAP_BYTES) {
      close();
      start = i;
    }
    last = i;
  }
  close();
  return pieces;
}

/**
 * Where the allocator keeps the end of all that it ever took (`sbrk`; Emscripten's never gives back). The build does not
 * say, so we let it take more and look: it is the word with the highest address in it among those that changed.
 */
function findHeapEnd(instance: { bytes(): Uint8Array; malloc(bytes: number): number }, usedEnd: number): number {
  const before = instance.bytes().slice();
  const taken = instance.malloc(PROBE_BYTES);
  const after = instance.bytes();
  const was = new Uint32Array(before.buffer);
  const is = new Uint32Array(after.buffer, 0, was.length);
  let found = -1;
  for (let i = 0; i * 4 < usedEnd; i++) {
    if (is[i] === was[i] || (is[i] ?? 0) > after.byteLength) continue;
    if (found < 0 || (is[i] ?? 0) > (is[found] ?? 0)) found = i;
  }
  const end = is[found] ?? 0;
  if (taken === 0 || end < taken + PROBE_BYTES || (was[found] ?? 0) < usedEnd) {
    throw new Error("the interpreter keeps the end of its heap elsewhere than this program expects");
  }
  return found * 4;
}
