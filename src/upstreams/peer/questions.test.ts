import { expect, it } from "vitest";
import type { JsonObject } from "../../core/json.ts";
import { Questions } from "./questions.ts";
import type { Wire } from "./wire.ts";

it("answers with an error when a client's answer could be read and cannot be written", async () => {
  const sent: JsonObject[] = [];
  const wire: Wire = {
    request: () => Promise.reject(new Error("not here")),
    send: (body) => void sent.push(JSON.parse(body) as JsonObject),
    ended: new Promise(() => {}),
    close: () => Promise.resolve(),
  };
  const questions = new Questions(wire);
  const answerOf = (levels: number) => JSON.parse(`{"roots":${"[".repeat(levels)}${"]".repeat(levels)}}`) as JsonObject;
  const ask = (id: number, levels: number) =>
    questions.take(
      { kind: "request", id, method: "roots/list", params: {} },
      { ask: () => Promise.resolve(answerOf(levels)) },
    );
  ask(1, 999);
  ask(2, 10_000);
  await expect.poll(() => sent).toHaveLength(2);
  expect(sent).toMatchObject([
    { id: 1, result: answerOf(999) },
    { id: 2, error: { code: -32603 } },
  ]);
});
