import { describe, expect, it } from "vitest";
import type { JsonObject } from "../core/json.ts";
import { problemsOfForm } from "./elicited.ts";

const requestedSchema = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 2, maxLength: 3 },
    mail: { type: "string", format: "email" },
    page: { type: "string", format: "uri" },
    day: { type: "string", format: "date" },
    at: { type: "string", format: "date-time" },
    size: { type: "number", minimum: 0.5, maximum: 2 },
    count: { type: "integer" },
    isSure: { type: "boolean" },
    color: { type: "string", enum: ["red", "blue"], enumNames: ["Red", "Blue"] },
    titled: { type: "string", oneOf: [{ const: "a", title: "A" }] },
    many: { type: "array", minItems: 1, maxItems: 2, items: { type: "string", enum: ["x", "y", "z"] } },
    manyTitled: { type: "array", items: { anyOf: [{ const: "x", title: "X" }] } },
    other: { type: "object" },
  },
  required: ["name"],
};
const problems = (content: JsonObject, params: JsonObject = {}) =>
  problemsOfForm({ message: "?", requestedSchema, ...params }, { action: "accept", content });

describe("the content of an accepted form", () => {
  it.each<JsonObject>([
    { name: "👋👋👋", other: 5, unknown: {} },
    { name: "Ada", mail: "a@b", page: "https://x.example/", day: "2024-02-29", at: "2024-02-29T10:00:00.5+02:00" },
    { name: "Ada", size: 0.5, count: 3, isSure: false, color: "blue", titled: "a", many: ["x", "y"], manyTitled: [] },
  ])("may be %j", (content) => {
    expect(problems(content)).toEqual([]);
  });

  it.each<[JsonObject, string]>([
    [{}, '"name" is missing'],
    [{ name: null }, '"name" must be a text'],
    [{ name: "A" }, '"name" must be at least 2 characters'],
    [{ name: "Anna" }, '"name" must be at most 3 characters'],
    [{ name: "Ada", mail: "a b" }, '"mail" must be of the format email'],
    [{ name: "Ada", page: "here" }, '"page" must be of the format uri'],
    [{ name: "Ada", day: "2023-02-29" }, '"day" must be of the format date'],
    [{ name: "Ada", at: "2024-02-29" }, '"at" must be of the format date-time'],
    [{ name: "Ada", size: "1" }, '"size" must be a number'],
    [{ name: "Ada", size: 0 }, '"size" must be at least 0.5'],
    [{ name: "Ada", size: 3 }, '"size" must be at most 2'],
    [{ name: "Ada", count: 1.5 }, '"count" must be a whole number'],
    [{ name: "Ada", isSure: "yes" }, '"isSure" must be true or false'],
    [{ name: "Ada", color: "Red" }, '"color" must be one of the choices'],
    [{ name: "Ada", titled: "A" }, '"titled" must be one of the choices'],
    [{ name: "Ada", many: "x" }, '"many" must be a list'],
    [{ name: "Ada", many: [] }, '"many" must be at least 1 items'],
    [{ name: "Ada", many: ["x", "y", "z"] }, '"many" must be at most 2 items'],
    [{ name: "Ada", manyTitled: ["q"] }, '"manyTitled" must be a list of some of the choices'],
  ])("may not be %j", (content, problem) => {
    expect(problems(content)).toEqual([problem]);
  });

  it("is an object; none at all is an empty one", () => {
    expect(problems("text" as never)).toEqual(["`content` must be an object"]);
    expect(problemsOfForm({ requestedSchema }, { action: "accept" })).toEqual(['"name" is missing']);
  });

  it("is not looked at when the user declined, was sent elsewhere, or nothing was said of it", () => {
    expect(problemsOfForm({ requestedSchema }, { action: "decline", content: { name: 5 } })).toEqual([]);
    expect(problems({}, { mode: "url" })).toEqual([]);
    expect(problems({}, { requestedSchema: null })).toEqual([]);
  });
});
