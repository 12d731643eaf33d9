/**
 * `JSON.stringify` for our own heads beside a guest: asks no prototype anything, so that a `toJSON` which the guest put
 * on one changes nothing. Plain objects, arrays, texts, numbers and booleans only.
 */
const { stringify } = JSON;
const { keys } = Object;
const { isArray } = Array;

export function plainJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return stringify(value) ?? "null";
  let text = "";
  if (isArray(value)) {
    for (let i = 0; i < value.length; i++) text += (i === 0 ? "" : ",") + plainJson(value[i]);
    return `[${text}]`;
  }
  const names = keys(value);
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const member = (value as Record<string, unknown>)[name];
    if (member !== undefined) text += `${text === "" ? "" : ","}${stringify(name)}:${plainJson(member)}`;
  }
  return `{${text}}`;
}
