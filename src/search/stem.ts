/**
 * A light stemmer for English: brings the forms of one word together (`files`, `created`, `translation`), and leaves what
 * it does not know alone. What it gives need not be a word; it only has to be the same for words that belong together.
 *
 * @param word lower case
 */
export function stem(word: string): string {
  if (word.length < 4 || WHOLE.has(word) || !/^[a-z]+$/.test(word)) return word;
  return withoutSuffix(withoutEnding(singular(word)));
}

/** Not the plural of anything. */
const WHOLE = new Set([
  "news",
  "https",
  "cors",
  "saas",
  "series",
  "species",
  "lens",
  "canvas",
  "atlas",
  "redis",
  "postgres",
  "kubernetes",
  "jenkins",
  "windows",
  "aws",
  "ios",
]);

function singular(word: string): string {
  if (!word.endsWith("s") || /(ss|us|is)$/.test(word)) return word;
  if (word.endsWith("ies") && word.length > 4) return `${word.slice(0, -3)}y`;
  if (/(x|ch|sh|ss|zz)es$/.test(word)) return word.slice(0, -2);
  return word.slice(0, -1);
}

/** -ing and -ed. */
function withoutEnding(word: string): string {
  const rest = word.endsWith("ing") ? word.slice(0, -3) : word.endsWith("ed") ? word.slice(0, -2) : word;
  if (rest === word || rest.length < 3 || !/[aeiouy]/.test(rest)) return word;
  // stopped -> stop, but calling -> call, processing -> process.
  return /([bdgkmnprt])\1$/.test(rest) ? rest.slice(0, -1) : rest;
}

const SUFFIXES =
  /^(?:(.{4,})i[sz]ation|(.{3,}at)(?:ion|or|ive)|(.{3,}[st])ion|(.{4,})er|(.{3,})ment|(.{4,})ly|(.{3,})i[sz]e)$/;

function withoutSuffix(word: string): string {
  const found = SUFFIXES.exec(word);
  const rest = found?.slice(1).find((part) => part !== undefined) ?? word;
  return rest.length > 3 && rest.endsWith("e") ? rest.slice(0, -1) : rest;
}
