/** Shorter values are part of every text: they cannot be hidden, and so are not handed out. */
export const MIN_HIDDEN_CHARS = 4;
/** Of a value with several lines, such as a key, each line that is as long is hidden by itself too. */
const MIN_LINE_CHARS = 12;
/** Fewer characters of base64 would be found by chance. */
const MIN_BASE64_CHARS = 5;

/**
 * How a secret shows when code prints, wraps or sends it: as it is, in JSON, in a URL, in hex, and in base64, also in the
 * middle of something else (`Basic` credentials hold `user:secret`). Longest first.
 *
 * It is against accidents. Code that was given a secret and wants to tell it can always write it in a way of its own.
 */
export function formsOf(secret: string): string[] {
  if (secret.length < MIN_HIDDEN_CHARS) return [];
  const text = secret.toWellFormed();
  const lines = text.split(/[\r\n]+/).filter((line) => line.length >= MIN_LINE_CHARS);
  const forms = [text, ...lines].flatMap((each) => [each, JSON.stringify(each).slice(1, -1), ...inUrls(each)]);
  const bytes = Buffer.from(text, "utf8");
  const hex = bytes.toString("hex");
  const all = [...forms, hex, hex.toUpperCase(), ...inBase64(bytes)];
  return [...new Set(all)].toSorted((a, b) => b.length - a.length);
}

function inUrls(text: string): string[] {
  const encoded = [encodeURIComponent(text), encodeURI(text), new URLSearchParams([["", text]]).toString().slice(1)];
  return encoded.flatMap((each) => [each, each.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]);
}

/** What of the base64 text depends on these bytes alone, for each of the three places they can begin at. */
function inBase64(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    const own = whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return own.length < MIN_BASE64_CHARS ? [] : [own, own.replaceAll("+", "-").replaceAll("/", "_")];
  });
}
