/** What strangers wrote, without line breaks and control characters: it cannot look like a line of ours. */
export function oneLine(text: string): string {
  return text
    .slice(0, 4_000)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
}

/** @returns at most `chars` characters, whole ones */
export function cut(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const end = chars - 3;
  const isHalf = /[\uD800-\uDBFF]/.test(text[end - 1] ?? "");
  return `${text.slice(0, isHalf ? end - 1 : end)}...`;
}

/** The first sentence of a description, on one line, without its full stop. */
export function firstSentence(text: string, chars = 120): string {
  const line = oneLine(text);
  const end = /[.!?](?=\s\p{Lu})|[。！？]/u.exec(line);
  return cut((end ? line.slice(0, end.index) : line).replace(/[.。]$/, ""), chars);
}

/** The first so many, and how many more there are. */
export function someOf(all: readonly string[], max: number): string {
  const shown = all.slice(0, max).join(", ");
  return all.length > max ? `${shown} and ${all.length - max} more` : shown;
}
