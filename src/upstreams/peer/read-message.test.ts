import { expect, it } from "vitest";
import { readMessages, readPlainAnswer } from "./read-message.ts";

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

it("reads what the server says of its own, but nothing that is nested too deep to be passed on", () => {
  const log = (data: string) => `{"jsonrpc":"2.0","method":"notifications/message","params":{"data":${data}}}`;
  const edge = readMessages(log(nested(999)));
  expect(edge).toMatchObject([{ kind: "notification" }]);
  expect(() => JSON.stringify(edge)).not.toThrow();
  expect(readMessages(log(nested(1_000)))).toBeUndefined();
  const asked = `{"jsonrpc":"2.0","id":1,"method":"roots/list","params":{"x":${nested(10_000)}}}`;
  expect(readMessages(`[${asked},${log("1")}]`)).toMatchObject([{ kind: "notification", params: { data: 1 } }]);
});

it("reads an error without what could not be passed on of it", () => {
  const text = (data: string) => `{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no","data":${data}}}`;
  expect(readMessages(text("[[1]]"))).toEqual([{ kind: "answer", id: 1, answer: { error: { code: -1, message: "no", data: [[1]] } } }]); // prettier-ignore
  expect(readMessages(text(nested(10_000)))).toEqual([{ kind: "answer", id: 1, answer: { error: { code: -1, message: "no" } } }]); // prettier-ignore
});

it("reads plain answers with the text of their result", () => {
  const result = { id: 7, result: { a: 1 }, text: '{"a":1}' };
  expect(readPlainAnswer('{"jsonrpc":"2.0","id":7,"result":{"a":1}}')).toEqual(result);
  expect(readPlainAnswer('{"result":{"a":1},"jsonrpc":"2.0","id":7}')).toEqual(result);
  expect(readPlainAnswer('{"jsonrpc":"2.0","id":"7","result":{"a":1}}')).toBeUndefined();
});
