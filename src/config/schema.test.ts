import { describe, expect, it } from "vitest";
import { valueSchema } from "./expects.ts";
import { LOADER_FLAGS } from "./load.ts";
import { explain, fileSchema } from "./render.ts";
import { bareMachine } from "./fixtures/machine.ts";
import { loadSettings } from "./load.ts";
import { leaves } from "./schema.ts";
import { envNames, flagNames } from "./setting.ts";
import * as zod from "../core/zod.ts";

const ALL = leaves();

describe("the schema of settings", () => {
  it.each(ALL.map((leaf) => [leaf.key, leaf.setting] as const))("%s is complete", (_, setting) => {
    const schema = valueSchema(setting);
    const form = { integer: "number", number: "number", boolean: "switch", array: "list", string: "text" };
    expect(setting.form).toBe(form[schema["type"] as keyof typeof form]);
    expect(setting.about).toMatch(/^[A-Z`].*\.$|^[a-z].*\.$/);
    if (setting.form === "number") {
      expect(schema).toMatchObject({ minimum: expect.any(Number), maximum: expect.any(Number) });
    }
    if (setting.default !== undefined) {
      expect(setting.type(zod).safeParse(setting.default)).toEqual({ success: true, data: setting.default });
    }
  });

  it("gives every setting a flag, and no name to two", () => {
    const flags = [...ALL.flatMap(({ setting }) => flagNames(setting)), ...LOADER_FLAGS.flatMap((flag) => flag.names)];
    const variables = ALL.flatMap(({ setting }) => envNames(setting));
    expect(new Set(flags).size).toBe(flags.length);
    expect(new Set(variables).size).toBe(variables.length);
  });

  it("makes a JSON Schema that knows every setting and refuses unknown ones", () => {
    const schema = fileSchema({}) as {
      properties: { settings: { additionalProperties: boolean; properties: Record<string, { properties: object }> } };
    };
    const { settings } = schema.properties;
    const known = Object.entries(settings.properties).flatMap(([group, { properties }]) =>
      Object.keys(properties).map((name) => `${group}.${name}`),
    );
    expect(known).toEqual(ALL.map(({ key }) => key));
    expect(settings.additionalProperties).toBe(false);
  });

  it("explains every value, and shows no secret [config-secrets]", async () => {
    const env = { MCP_ADMIN_TOKEN: "s3cret", MONGODB_URI: "mongodb://ann:s3cret@host" };
    const rows = explain(await loadSettings(bareMachine({ env })));
    expect(rows).toHaveLength(ALL.length);
    expect(rows).toContainEqual({ key: "admin.token", value: "***", from: "env", where: "MCP_ADMIN_TOKEN" });
    expect(rows).toContainEqual({ key: "http.port", value: 8788, from: "default", where: "default" });
    expect(JSON.stringify(rows)).not.toContain("s3cret");
  });
});
