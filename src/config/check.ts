import { isJsonObject } from "../core/json.ts";
import { nearest } from "../core/names.ts";
import { SWITCH_WORDS } from "./argv.ts";
import type { Given } from "./origin.ts";
import { pathRules } from "./platform.ts";
import type { Setting } from "./setting.ts";
import * as zod from "../core/zod.ts";

const NOT_UNDERSTOOD = Symbol("not understood");

export type Checked = { value: unknown } | { message: string };

/**
 * Turns what somebody gave into a value of the setting's type.
 *
 * Text is read strictly: `99abc` is no number. The zod type has the last word, for text and JSON alike.
 *
 * @returns the value, with paths made absolute; or what is wrong, without the value of a secret
 */
export async function checkGiven(given: Given, home: { platform: NodeJS.Platform; homeDir: string }): Promise<Checked> {
  const { setting } = given.leaf;
  const raw = "texts" in given.value ? fromTexts(setting, given.value.texts) : fromJson(setting, given.value.json);
  if (raw !== NOT_UNDERSTOOD) {
    const parsed = setting.type(zod).safeParse(raw);
    if (parsed.success) return { value: setting.isPath ? absolute(parsed.data, given.base, home) : parsed.data };
  }
  const { choices, expects, valueSchema } = await import("./expects.ts");
  const schema = valueSchema(setting);
  const shown = "texts" in given.value ? given.value.texts.join(",") : given.value.json;
  const hint = near(shown, choices(isJsonObject(schema["items"]) ? schema["items"] : schema));
  return { message: `${setting.isSecret ? "***" : show(shown)} is not ${expects(setting)}${hint}` };
}

function fromTexts(one: Setting<unknown>, texts: readonly string[]): unknown {
  if (one.form === "list") {
    return texts.flatMap((text) => text.split(",").flatMap((part) => word(one, part.trim()) || []));
  }
  const text = word(one, (texts.at(-1) ?? "").trim());
  if (one.form === "switch") return SWITCH_WORDS[text.toLowerCase()] ?? NOT_UNDERSTOOD;
  if (one.form === "number") {
    if (/^[+-]?\d+(\.\d+)?$/.test(text)) return Number(text);
    return one.fromText?.(text) ?? NOT_UNDERSTOOD;
  }
  return text;
}

function fromJson(one: Setting<unknown>, json: unknown): unknown {
  return typeof json === "string" ? word(one, json) : json;
}

/** Other spellings become ours. */
function word(one: Setting<unknown>, text: string): string {
  return one.words && Object.hasOwn(one.words, text) ? (one.words[text] ?? text) : text;
}

function absolute(value: unknown, base: string, home: { platform: NodeJS.Platform; homeDir: string }): unknown {
  const { resolve, join } = pathRules(home.platform);
  const one = (path: string) => (/^~[/\\]/.test(path) ? join(home.homeDir, path.slice(2)) : resolve(base, path));
  if (Array.isArray(value)) return value.map((each) => one(String(each)));
  return typeof value === "string" ? one(value) : value;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** "did you mean", for the first word that is not one of those that are allowed. */
function near(value: unknown, known: readonly string[]): string {
  if (typeof value !== "string" || known.length === 0) return "";
  const wrong = value.split(",").find((word) => !known.includes(word.trim()));
  const found = wrong === undefined ? undefined : nearest(wrong, known);
  return found === undefined ? "" : `; did you mean ${found}?`;
}
