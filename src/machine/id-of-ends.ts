const ID = String.raw`"id"\s*:\s*(?<id>-?\d{1,15}|"[^"\\]{1,200}")`;
const SMALL = String.raw`"(?:jsonrpc|method)"\s*:\s*"[^"\\]{1,100}"`;
/** Whatever comes before: an `id` that is followed by the end of the line can only be the message's own. */
const AT_END = new RegExp(String.raw`,\s*${ID}\s*(?:,\s*${SMALL}\s*){0,2}\}\s*$`);
const AT_START = new RegExp(String.raw`^\s*\{\s*(?:${SMALL}\s*,\s*){0,2}${ID}\s*,`);

/** The id of a JSON-RPC message of which only both ends are known, when it stands at one of them for certain. */
export function idOfEnds(head: string, tail: string): string | number | null {
  const found = (AT_START.exec(head) ?? AT_END.exec(tail))?.groups?.["id"];
  return found === undefined ? null : (JSON.parse(found) as string | number);
}
