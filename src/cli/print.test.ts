import { expect, it } from "vitest";
import { json, oneLine, safe, table } from "./print.ts";

const HOSTILE = "a\u001b[31mb\u009b2Jc\u202Egnp.exe\u2066d\u200F\u0007\u007F";

it("shows what others wrote without what moves the cursor or turns the direction of writing", () => {
  expect(safe(`${HOSTILE}\tx\ny`)).toBe("a[31mb2Jcgnp.exed\tx\ny");
  expect(oneLine(`${HOSTILE}\r\n\u2028e`)).toBe("a[31mb2Jcgnp.exed e");
  expect(table(["name"], [[HOSTILE]])).toBe("name\na[31mb2Jcgnp.exed");
});

it("writes JSON that says the same, and holds none of that", () => {
  const text = json({ [HOSTILE]: "caf\u00e9" });
  expect(JSON.parse(text)).toEqual({ [HOSTILE]: "caf\u00e9" });
  expect(safe(text)).toBe(text);
  expect(text).toContain("caf\u00e9");
});
