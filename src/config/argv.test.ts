import { describe, expect, it } from "vitest";
import { parseArgv, type FlagSpec } from "./argv.ts";

const SPECS: FlagSpec[] = [
  { names: ["--port"], form: "value" },
  { names: ["--read-only", "-r"], form: "switch" },
];
const parse = (...argv: string[]) => {
  const { flags, positionals, problems } = parseArgv(argv, SPECS);
  return { flags: flags.map(({ name, text }) => [name, text]), positionals, problems };
};

describe("parseArgv", () => {
  it("takes values after a space and after an equals sign", () => {
    expect(parse("--port", "1", "--port=2", "--port=", "--port=a=b").flags).toEqual([
      ["--port", "1"],
      ["--port", "2"],
      ["--port", ""],
      ["--port", "a=b"],
    ]);
  });

  it("takes a switch alone, with a word that is one, and leaves other words", () => {
    expect(parse("--read-only", "off", "-r", "list", "--read-only=no")).toEqual({
      flags: [
        ["--read-only", "off"],
        ["-r", "true"],
        ["--read-only", "no"],
      ],
      positionals: ["list"],
      problems: [],
    });
  });

  it("takes dashes that are no flags: -, negative numbers, all after --", () => {
    expect(parse("-", "-5", "--", "--port", "-r").positionals).toEqual(["-", "-5", "--port", "-r"]);
  });

  it("reports a missing value and an unknown flag", () => {
    expect(parse("--port").problems).toEqual([expect.stringContaining("--port needs a value")]);
    expect(parse("--port", "--read-only").problems).toHaveLength(1);
    expect(parse("--prot").problems).toEqual(["unknown flag --prot; did you mean --port?"]);
    expect(parse(`--${"x".repeat(5000)}`).problems[0]?.length).toBeLessThan(200);
    expect(parse("--__proto__=1", "--constructor").problems).toHaveLength(2);
  });
});
