import { afterEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../core/json.ts";
import { createSchemas } from "./create-schemas.ts";

const schemas = createSchemas();

/** The longest time, in ms, that the main thread did nothing for others while `job` ran. */
async function standstill(job: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const beat = () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  };
  const clock = setInterval(beat, 5);
  try {
    await job();
    beat();
  } finally {
    clearInterval(clock);
  }
  return longest;
}

async function messages(schema: JsonObject, value: unknown): Promise<string> {
  return (await schemas.validate(schema, value)).map(({ path, message }) => `${path} ${message}`).join("; ");
}

const refused = (schema: unknown) =>
  schemas.check(schema, "inputSchema", "input").then(
    () => "accepted",
    (error: { code: string; message: string }) => `${error.code} ${error.message}`,
  );

const many = Array.from({ length: 30_000 }, (_, id) => ({ id, name: `n${id}`, tags: ["a", "b"] }));
const tree = (depth: number): JsonObject => (depth === 0 ? { end: 1 } : { next: tree(depth - 1) });
const HOSTILE: [string, JsonObject, unknown][] = [
  ["a pattern that backtracks", { properties: { a: { pattern: "^(a+)+$" } } }, { a: `${"a".repeat(60)}b` }],
  ["a pattern in the fourth power", { properties: { a: { pattern: "^.*.*.*=.*$" } } }, { a: "x".repeat(20_000) }],
  ["patternProperties", { patternProperties: { "^(a+)+$": {} } }, { [`${"a".repeat(60)}b`]: 1 }],
  ["uniqueItems of many objects", { properties: { a: { uniqueItems: true } } }, { a: many }],
  [
    "branches that double on each level",
    {
      $defs: { node: { anyOf: [{ properties: { next: { $ref: "#/$defs/node" } }, required: ["x"] }, { properties: { next: { $ref: "#/$defs/node" } }, required: ["y"] }] } }, // prettier-ignore
      properties: { a: { $ref: "#/$defs/node" } },
    },
    { a: tree(200) },
  ],
  [
    "references that double on each level",
    {
      $defs: Object.fromEntries(
        Array.from({ length: 41 }, (_, level) => [
          `d${level}`,
          level === 40
            ? { maxLength: 9 }
            : { allOf: [{ $ref: `#/$defs/d${level + 1}` }, { $ref: `#/$defs/d${level + 1}` }] },
        ]),
      ),
      properties: { a: { $ref: "#/$defs/d0" } },
    },
    { a: "x" },
  ],
];

describe("a hostile schema or value", () => {
  it.each(HOSTILE)("is stopped without a standstill: %s", async (_name, rest, value) => {
    const schema = { type: "object", ...rest };
    expect(await refused(schema)).toBe("accepted");
    const started = performance.now();
    let problems = "";
    const longest = await standstill(async () => {
      problems = (await Promise.all(Array.from({ length: 10 }, () => messages(schema, value)))).join("\n");
    });
    // What was found before the time was over is told, too.
    expect(problems).toMatch(/^.*(\n takes longer than .*){9}$/);
    expect(performance.now() - started).toBeLessThan(8_000);
    // Writing ten megabytes down for the other thread takes its time here; the checks would take ten seconds.
    // A standstill would be the whole check, a second or more; what a busy machine adds is far below.
    expect(longest).toBeLessThan(500);
  });

  it("is refused at once for a while, and others are checked meanwhile", async () => {
    const hostile = { type: "object", properties: { b: { type: "string", pattern: "^(b+)+$" } } };
    const harmless = { type: "object", properties: { b: { type: "string", pattern: "^b+$" } } };
    expect(await messages(hostile, { b: `${"b".repeat(60)}c` })).toMatch(/takes longer/);
    const started = performance.now();
    expect(await messages(hostile, { b: "b" })).toMatch(/took too long a moment ago/);
    expect(performance.now() - started).toBeLessThan(100);
    expect(await messages(harmless, { b: "bb" })).toBe("");
    expect(await messages(harmless, { b: "c" })).toBe('/b must match pattern "^b+$", got the string "c"');
  });

  it("is tried again after that while", async () => {
    const forgiving = createSchemas({ penaltyMs: 0 });
    const schema = { type: "object", properties: { c: { type: "string", pattern: "^(c+)+$" } } };
    expect((await forgiving.validate(schema, { c: `${"c".repeat(60)}d` })).length).toBe(1);
    expect(await forgiving.validate(schema, { c: "c" })).toEqual([]);
  });

  it("does not hold the process up when it is made", async () => {
    const properties = Object.fromEntries(
      Array.from({ length: 1_500 }, (_, index) => [`p${index}`, { type: "string", minLength: index }]),
    );
    const large = { type: "object", properties: { a: { properties }, b: { items: { properties: { c: {} } } } } };
    expect(JSON.stringify(large).length).toBeGreaterThan(50_000);
    await refused({ type: "object" });
    const longest = await standstill(async () => expect(await refused(large)).toBe("accepted"));
    expect(longest).toBeLessThan(100);
    expect(await messages(large, { a: { p7: "x" } })).toMatch(/^\/a\/p7 must NOT have fewer than 7 characters/);
  });

  it("that is referred to a thousand times is prepared once", async () => {
    const part = { properties: Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`p${i}`, { minLength: 1 }])) };
    const properties = Object.fromEntries(Array.from({ length: 1_500 }, (_, i) => [`q${i}`, { $ref: "#/$defs/part" }]));
    expect(await refused({ type: "object", $defs: { part }, properties })).toBe("accepted");
  });
});

describe("a thread that cannot work", () => {
  it("is a fault of the check, not the end of the process", async () => {
    const broken = createSchemas({ checker: new URL("file:///does/not/exist.js") });
    const schema = { type: "object", properties: { a: { pattern: "^a$" } } };
    expect((await broken.validate(schema, { a: "a" }))[0]?.message).toMatch(/cannot be checked/);
    expect((await broken.validate(schema, { a: "a" }))[0]?.message).toMatch(/cannot be checked/);
    expect(await broken.validate({ type: "object" }, {})).toEqual([]);
  });

  it("and ends during a check is replaced for the next one", async () => {
    // Its first message is its last.
    const program = `import { parentPort } from "node:worker_threads";
      parentPort.on("message", ({ mark }) => process.exit(1));
      parentPort.postMessage("ready");`;
    const dying = createSchemas({ checker: new URL(`data:text/javascript,${encodeURIComponent(program)}`) });
    const checks = ["^a$", "^b$", "^a$"].map((pattern) =>
      dying.validate({ properties: { a: { pattern } } }, { a: "a" }),
    );
    const [first, second, third] = (await Promise.all(checks)).map((problems) => problems[0]?.message);
    expect(first).toMatch(/cannot be checked: the thread for checks ended/);
    expect(second).toMatch(/cannot be checked: the thread for checks ended/);
    expect(third).toMatch(/a moment ago/);
  });

  it("tells nothing at all from null", async () => {
    const schema = { type: ["string", "null"], pattern: "^a$" };
    expect(await messages(schema, null)).toBe("");
    expect(await messages(schema, undefined)).toMatch(/must be string or null, got nothing/);
  });
});

describe("$async", () => {
  const escaped: unknown[] = [];
  const note = (error: unknown) => void escaped.push(error);
  process.on("unhandledRejection", note);
  afterEach(() => process.off("unhandledRejection", note));

  it("is refused at every level, with its place", async () => {
    expect(await refused({ $async: true, type: "object" })).toMatch(/^INVALID_SCHEMA .*\/\$async /);
    expect(await refused({ type: "object", properties: { a: { items: { $async: true } } } })).toMatch(
      /\/properties\/a\/items\/\$async /,
    );
    expect(await refused({ type: "object", $defs: { a: { $async: false } } })).toMatch(/\/\$defs\/a\/\$async /);
    expect(await refused({ type: "object", properties: { $async: { type: "boolean" } } })).toBe("accepted");
  });

  it("in a schema that is already stored is neither a success nor the end of the process", async () => {
    const whole = { $async: true, type: "object", properties: { n: { type: "number" } } };
    expect(await messages(whole, { n: 1 })).toBe("");
    expect(await messages(whole, { n: "x" })).toBe('/n must be number, got the string "x"');
    const risky = { $async: true, type: "object", properties: { n: { pattern: "^a$" } } };
    expect(await messages(risky, { n: "x" })).toMatch(/must match pattern/);
    const inner = { type: "object", properties: { n: { $async: true, type: "number" } } };
    expect(await messages(inner, { n: "x" })).not.toBe("");
    const hidden = { type: "object", properties: { n: { $ref: "#/x-more" } }, "x-more": { $async: true, not: {} } };
    expect(await messages(hidden, { n: "x" })).not.toBe("");
    await new Promise((resolve) => setImmediate(resolve));
    expect(escaped).toEqual([]);
  });
});

describe("references in a circle", () => {
  it.each([
    ["/$ref", { type: "object", $ref: "#" }],
    ["/allOf/0/$ref", { type: "object", allOf: [{ $ref: "#" }] }],
    ["/anyOf/1/not/$ref", { type: "object", anyOf: [{ required: ["a"] }, { not: { $ref: "#" } }] }],
    ["/$defs/b/$ref", { type: "object", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } }, properties: { c: { $ref: "#/$defs/a" } } }], // prettier-ignore
    ["/$defs/a/$ref", { type: "object", $defs: { a: { $anchor: "me", $ref: "#me" } } }],
  ])("are refused at %s", async (path, schema) => {
    const words = await refused(schema);
    expect(words).toMatch(/^INVALID_SCHEMA .* refers to itself without end/);
    expect(words).toContain(`: ${path} `);
  });

  it("are fine where each turn goes deeper into the value", async () => {
    const node = { type: "object", properties: { next: { $ref: "#/$defs/node" }, n: { type: "number" } } };
    const schema = { type: "object", $defs: { node }, properties: { list: { $ref: "#/$defs/node" }, me: { $ref: "#" } } }; // prettier-ignore
    expect(await refused(schema)).toBe("accepted");
    expect(await messages(schema, { list: { next: { next: { n: "x" } } } })).toMatch(/^\/list\/next\/next\/n must be/);
  });

  it("of a stored schema are told in words of ours", async () => {
    const ring = { type: "object", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } }, properties: { c: { $ref: "#/$defs/a" } } }; // prettier-ignore
    const words = await messages(ring, { c: 1 });
    expect(words).toMatch(/without end|nested too deep/);
    expect(words).not.toMatch(/stack/);
  });
});
