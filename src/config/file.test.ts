import { describe, expect, it } from "vitest";
import { readConfigFile } from "./file.ts";
import { leaves } from "./schema.ts";

const read = (text: string) => readConfigFile(text, "f.json", "/etc", leaves());

describe("readConfigFile", () => {
  it("takes comments, trailing commas, a byte order mark and servers", () => {
    const found = read(
      '\uFEFF// ours\n{ "$schema": "x", "settings": { "log": { "level": "debug", /* much */ }, }, "mcpServers": { "a": { "b": [1, null] } } }',
    );
    expect(found.problems).toEqual([]);
    expect(found.given).toMatchObject([{ leaf: { key: "log.level" }, value: { json: "debug" }, base: "/etc" }]);
    expect(found.mcpServers).toEqual({ a: { b: [1, null] } });
    expect(found.places.get("a")).toBe("f.json:2:93");
  });

  it("takes the last of two servers with one name, and says so", () => {
    const found = read('{ "_comment": "x", "mcpServers": { "a": { "url": "1" },\n "a": { "url": "2" } } }');
    expect(found).toMatchObject({ problems: [], mcpServers: { a: { url: "2" } } });
    expect(found.remarks).toEqual(['f.json:2:2: the server "a" appears twice; this one is taken']);
  });

  it("takes files of other programs, and says what in them has no meaning", () => {
    const desktop = read('{ "globalShortcut": "", "mcpServers": { "a": {} }, "preferences": {} }');
    expect(desktop).toMatchObject({ problems: [], mcpServers: { a: {} } });
    expect(desktop.remarks).toEqual(['f.json: no meaning here have "globalShortcut", "preferences"']);
    const code = read('{ "inputs": [], "servers": { "a": {} } }');
    expect(code).toMatchObject({ problems: [], mcpServers: { a: {} } });
    expect(code.places.get("a")).toBe("f.json:1:30");
  });

  it("refuses beside servers what is a mistake of ours", () => {
    expect(read('{ "mcpServers": {}, "setings": {} }').problems[0]?.message).toContain('did you mean "settings"?');
    expect(read('{ "mcpServers": {}, "http": {} }').problems[0]?.message).toContain('belongs into { "settings"');
    expect(read('{ "mcpserver": {} }').problems[0]?.message).toContain('did you mean "mcpServers"?');
  });

  it("says so when a file is not UTF-8", () => {
    const utf16 = Buffer.from('\uFEFF{ "mcpServers": {} }', "utf16le").toString("utf8");
    expect(read(utf16).problems).toEqual([{ where: "f.json:1:1", message: "not a text in UTF-8; save it as UTF-8" }]);
  });

  it.each([
    ["", "f.json:1:1"],
    ["[]", "f.json:1:1"],
    ['{ "settings": 1 }', "f.json:1:15"],
    ['{\n  "settings": { "http": [] } }', "f.json:2:25"],
    ['{ "mcpServers": [] }', "f.json:1:17"],
    ['{ "setings": {} }', "f.json:1:3"],
    ['{ "settings": { "__proto__": {} } }', "f.json:1:17"],
    ['{ "settings": { "http": { "__proto__": 1 } } }', "f.json:1:27"],
    ['{ "settings": {}, "settings": {} }', "f.json:1:19"],
    ['{ "settings": { "http": { "port": 1 ', "f.json:1:37"],
  ])("refuses %j and says where", (text, where) => {
    const { problems } = read(text);
    expect(problems[0]?.where).toBe(where);
    expect(problems[0]?.message).not.toBe("");
  });

  it("says once that the file ends too early", () => {
    expect(read('{ "settings": { "http": { "port": 1 ').problems).toHaveLength(1);
  });

  it("says where a setting belongs that was written without its group", () => {
    expect(read('{ "settings": { "port": 1 } }').problems[0]?.message).toContain('{ "http": { "port": ... } }');
  });
});
