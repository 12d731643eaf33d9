import { describe, expect, it } from "vitest";
import type { JsonObject } from "../core/json.ts";
import { LIMITS } from "../core/limits.ts";
import { createSchemas } from "./create-schemas.ts";

const schemas = createSchemas();
const ofText: JsonObject = {
  type: "object",
  properties: { text: { type: "string", description: "what to shout" }, times: { type: "integer", minimum: 1 } },
  required: ["text"],
  additionalProperties: false,
};

async function words(schema: JsonObject, value: unknown): Promise<string[]> {
  return (await schemas.validate(schema, value)).map(({ path, message }) => `${path} ${message}`);
}

describe("validate", () => {
  it("accepts what fits", async () => {
    expect(await schemas.validate(ofText, { text: "hi", times: 2 })).toEqual([]);
  });

  it("names what is missing with its type, and the nearest name for a property that is not known", async () => {
    expect(await words(ofText, { txt: "hi", times: "3" })).toEqual([
      "/text is required (string: what to shout)",
      ' unknown property "txt"; did you mean "text"?',
      '/times must be integer, got the string "3"',
    ]);
  });

  it("keeps schemas with the same $id apart", async () => {
    const id = "https://example.com/one";
    const first = { $id: id, type: "object", properties: { a: { type: "string" } } };
    const second = { $id: id, type: "object", properties: { a: { type: "number" } } };
    expect(await schemas.validate(first, { a: "x" })).toEqual([]);
    expect(await words(second, { a: "x" })).toEqual(['/a must be number, got the string "x"']);
  });

  it("reads draft-07 where a schema says so", async () => {
    const schema = {
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      properties: { pair: { type: "array", items: [{ type: "string" }, { type: "number" }] } },
    };
    await schemas.check(schema, "inputSchema", "input");
    expect(await words(schema, { pair: ["a", "b"] })).toEqual(['/pair/1 must be number, got the string "b"']);
  });

  it("survives a schema that refers to itself without end", async () => {
    const schema = { type: "object", allOf: [{ $ref: "#" }] };
    expect((await schemas.validate(schema, {})).length).toBe(1);
  });

  it("takes __proto__ in a value for a name like any other", async () => {
    const value: unknown = JSON.parse('{"text":"hi","__proto__":{"x":1}}');
    expect(await words(ofText, value)).toEqual([' unknown property "__proto__"; known are text, times']);
  });

  it("checks a megabyte", async () => {
    expect(await schemas.validate(ofText, { text: "x".repeat(1_000_000) })).toEqual([]);
  });
});

describe("check", () => {
  const refused = (schema: unknown, role: "input" | "output" = "input") =>
    schemas.check(schema, "inputSchema", role).then(
      () => "accepted",
      (error: { code: string; message: string }) => `${error.code} ${error.message}`,
    );

  it("accepts usable schemas, with local references", async () => {
    expect(await refused(ofText)).toBe("accepted");
    expect(
      await refused({
        type: "object",
        $defs: { point: { type: "object", properties: { x: { type: "number" } } } },
        properties: { at: { $ref: "#/$defs/point" }, again: { $ref: "#" } },
      }),
    ).toBe("accepted");
    expect(await refused({ type: "string" }, "output")).toBe("accepted");
  });

  it("says where a schema is wrong", async () => {
    expect(await refused({ type: "object", properties: { a: { type: "strin" } } })).toMatch(
      /^INVALID_SCHEMA inputSchema is not usable: \/properties\/a\/type must be/,
    );
    expect(await refused({ type: "object", required: "text" })).toMatch(/\/required must be array/);
    expect(await refused({ type: "object", properties: { a: { pattern: "(" } } })).toMatch(/INVALID_SCHEMA.*\/\(\//);
    expect(await refused({ type: "object", properties: { a: { $ref: "#/$defs/none" } } })).toMatch(/INVALID_SCHEMA/);
    for (const schema of [null, 7, "object", [], true])
      expect(await refused(schema)).toMatch(/must be a JSON Schema object/);
  });

  it("refuses arguments that are not named", async () => {
    expect(await refused({ type: "string" })).toMatch(/\/type must be "object"/);
    expect(await refused({})).toMatch(/got nothing/);
  });

  it.each(["https://example.com/schema.json", "http://169.254.169.254/", "other.json", "file:///etc/passwd"])(
    "refuses a reference to %s",
    async (target) => {
      expect(await refused({ type: "object", properties: { a: { $ref: target } } })).toMatch(/\/properties\/a\/\$ref must point/); // prettier-ignore
    },
  );

  it("lets data look like a reference", async () => {
    expect(await refused({ type: "object", properties: { a: { const: { $ref: "https://example.com" } } } })).toBe("accepted"); // prettier-ignore
  });

  it("refuses unknown dialects, inner ids and __proto__", async () => {
    expect(await refused({ $schema: "https://example.com/mine", type: "object" })).toMatch(/\/\$schema/);
    expect(await refused({ type: "object", properties: { a: { $id: "x" } } })).toMatch(/only at the root/);
    expect(await refused(JSON.parse('{"type":"object","properties":{"__proto__":{}}}'))).toMatch(/__proto__/);
  });

  it("holds the bounds at their edges", async () => {
    const nested = (levels: number): JsonObject => {
      let schema: JsonObject = { type: "object" };
      for (let level = 1; level < levels; level++) schema = { type: "object", not: schema };
      return schema;
    };
    expect(await refused(nested(LIMITS.schemaDepth))).toBe("accepted");
    expect(await refused(nested(LIMITS.schemaDepth + 1))).toMatch(/nested at most 32/);
    const empty = JSON.stringify({ type: "object", description: "" }).length;
    const sized = (bytes: number) => ({ type: "object", description: "d".repeat(bytes - empty) });
    expect(await refused(sized(LIMITS.schemaBytes))).toBe("accepted");
    expect(await refused(sized(LIMITS.schemaBytes + 1))).toMatch(/at most 100000 bytes/);
  });
});
