/** Shorter values are part of every text: they cannot be hidden, and so are not handed out. */
export const MIN_HIDDEN_CHARS = 4;
/** Of a value with several lines, such as a key, each line that is as long is hidden by itself too. */
const MIN_LINE_CHARS = 12;
/** Fewer characters of base64 would be found by chance. */
const MIN_BASE64_CHARS = 5;
/** JSON in a text in JSON in a text in JSON. */
const JSON_LEVELS = 3;
/** As long as a host's name can be. */
const MAX_CASED_CHARS = 255;

/**
 * How a secret shows when code prints, wraps or sends it: as it is, in JSON (also in JSON that is a text in JSON, up to
 * three times), in a URL, in hex, and in base64, also in the middle of something else (`Basic` credentials hold
 * `user:secret`). Longest first, none shorter than {@link MIN_HIDDEN_CHARS}.
 *
 * It is against accidents. Code that was given a secret and wants to tell it can always write it in a way of its own.
 */
export function formsOf(secret: string): string[] {
  if (secret.length < MIN_HIDDEN_CHARS) return [];
  const text = secret.toWellFormed();
  const lines = text.split(/[\r\n]+/).filter((line) => line.length >= MIN_LINE_CHARS);
  const texts = new Set([text, ...lines]);
  const inJsonOnce = quoted(text);
  const all = [
    ...[...texts].flatMap((each) => [...inJson(each), ...inUrls(each)]),
    ...inUrls(inJsonOnce),
    ...[...new Set([text, inJsonOnce])].flatMap((each) => inBytes(Buffer.from(each, "utf8"))),
    ...inOtherCase(text),
    ...asNumber(text),
    ...decoded(text),
  ];
  return [...new Set(all)].filter((form) => form.length >= MIN_HIDDEN_CHARS).toSorted((a, b) => b.length - a.length);
}

const quoted = (text: string) => JSON.stringify(text).slice(1, -1);

function inJson(text: string): string[] {
  const forms = [text];
  for (let form = quoted(text); forms.length <= JSON_LEVELS && form !== forms.at(-1); form = quoted(form)) {
    forms.push(form);
  }
  // As others write it: with slashes escaped, or in ASCII alone.
  const once = quoted(text);
  const ascii = once.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return [...forms, ascii, once.replaceAll("/", "\\/"), ascii.replaceAll("/", "\\/")];
}

function inUrls(text: string): string[] {
  const component = encodeURIComponent(text);
  const url = new URL("http://host/");
  url.pathname = text;
  url.search = text;
  url.hash = text;
  url.username = text;
  const encoded = [
    text,
    component,
    component.replace(/[!'()*]/g, percentCode),
    encodeURI(text),
    new URLSearchParams([["", text]]).toString().slice(1),
    url.pathname.slice(1),
    url.search.slice(1),
    url.hash.slice(1),
    url.username,
    escaped(text),
  ];
  return [...new Set(encoded)].flatMap((each) => [each, ...inBothCodes(each)]);
}

function inBothCodes(encoded: string): string[] {
  if (!encoded.includes("%")) return [];
  const code = /%[0-9A-Fa-f]{2}/g;
  return [encoded.replace(code, (each) => each.toLowerCase()), encoded.replace(code, (each) => each.toUpperCase())];
}

/** What the old global function `escape` gives. @see ECMA-262, section B.2.1.1 */
function escaped(text: string): string {
  return text.replace(/[^A-Za-z0-9@*_+\-./]/g, (unit) => {
    const code = unit.charCodeAt(0);
    return code < 256 ? percentCode(unit) : `%u${code.toString(16).toUpperCase().padStart(4, "0")}`;
  });
}

const percentCode = (unit: string) => `%${unit.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;

function inBytes(bytes: Buffer): string[] {
  const hex = bytes.toString("hex");
  return [hex, hex.toUpperCase(), ...inBase64(bytes)];
}

/** What of the base64 text depends on these bytes alone, for each of the three places they can begin at. */
function inBase64(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    const own = whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return own.length < MIN_BASE64_CHARS ? [] : [own, own.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

/** Hosts become small, methods large. */
function inOtherCase(text: string): string[] {
  return text.length > MAX_CASED_CHARS ? [] : [text.toLowerCase(), text.toUpperCase()];
}

/** `00123456` that was read as a number, and what a number keeps of many digits. */
function asNumber(text: string): string[] {
  return /^\d+(?:\.\d+)?$/.test(text) ? [String(Number(text))] : [];
}

/** One that holds percent codes itself. */
function decoded(text: string): string[] {
  if (!text.includes("%")) return [];
  try {
    return [decodeURIComponent(text)];
  } catch {
    return [];
  }
}
