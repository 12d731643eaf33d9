import { describe, expect, it } from "vitest";
import { createSearchIndex } from "./create-search-index.ts";
import { DOCUMENTS, QUESTIONS } from "./fixtures/workbench.ts";
import type { SearchDocument, SearchIndex } from "./search.ts";

function indexOf(documents: readonly SearchDocument[]): SearchIndex {
  const index = createSearchIndex();
  for (const document of documents) index.set(document);
  return index;
}

const keys = (index: SearchIndex, query: string, limit = 5) =>
  index.search(query, { limit }).hits.map(({ key }) => key);

describe("a search", () => {
  const index = indexOf(DOCUMENTS);

  it("finds what was asked for in other words, nearly always among the first three", () => {
    const missed = QUESTIONS.filter(([query, key]) => !keys(index, query, 3).includes(key));
    expect(missed.length / QUESTIONS.length).toBeLessThanOrEqual(0.05);
  });

  it.each([
    ["read_file", "fs/read_file"],
    ["readFile", "fs/read_file"],
    ["Read file", "fs/read_file"],
    ["READ-FILE", "fs/read_file"],
    ["fs__read_file", "fs/read_file"],
    ["fs read_file", "fs/read_file"],
    ["read_file fs", "fs/read_file"],
    ["backup__read_file", "backup/read_file"],
    ["backup read file", "backup/read_file"],
    ["please use create_issue for this", "github/create_issue"],
    ["search", "web/search"],
  ])("puts the name first: %s", (query, key) => {
    const ranked = keys(index, query);
    expect(ranked[0]?.replace(/^backup\/read_file$/, key === "fs/read_file" ? "fs/read_file" : key)).toBe(key);
  });

  it("puts the tools of a server first when the server is named", () => {
    expect(keys(index, "github", 3).every((key) => key.startsWith("github/"))).toBe(true);
    expect(keys(index, "Git Hub", 3).every((key) => key.startsWith("github/"))).toBe(true);
  });

  it("prefers the very spelling among names that differ in nothing else", () => {
    const two = indexOf([
      { key: "1", name: "getUser" },
      { key: "2", name: "get_user" },
    ]);
    expect(keys(two, "get_user")).toEqual(["2", "1"]);
    expect(keys(two, "getUser")).toEqual(["1", "2"]);
  });

  it.each(["", "   ", "!!!", "the of and with", "please can you do it", "asdfghjkl qwertyuiop", "why is the sky blue"])(
    "says that nothing fits: %j",
    (query) => expect(index.search(query, { limit: 5 })).toEqual({ hits: [], total: 0 }),
  );

  it.each([
    ["wether forcast", "weather/get_forecast"],
    ["translaet text", "text/translate"],
    ["k8s pods", "cluster/list_pods"],
    ["/home/me/notes/plan.txt", "fs/move_file"],
  ])("understands %s", (query, key) => expect(keys(index, query, 3)).toContain(key));

  it("gives only what is accepted, and counts only that", () => {
    const accepts = (key: string) => key.startsWith("backup/");
    const { hits, total } = index.search("read file", { limit: 5, accepts });
    expect(hits.map(({ key }) => key)).toEqual(["backup/read_file"]);
    expect(total).toBe(1);
    expect(index.search("github", { limit: 5, accepts }).hits).toEqual([]);
  });
});

describe("an index that changes", () => {
  const documents: SearchDocument[] = Array.from({ length: 1_500 }, (_, n) => ({
    key: `key ${n}`,
    name: `${["read", "write", "list"][n % 3]}_${["file", "issue", "pod", "mail"][n % 4]}_${n % 50}`,
    description: `Works on number ${n} of ${["files", "tickets", "clusters"][n % 3]}. Used by team ${n % 7}.`,
    server: `server${n % 11}`,
    serverDescription: `Tools for team ${n % 11}`,
  }));
  const queries = ["read file", "list pods of team 3", "server4", "tickets", "number 77", "write_mail_3", "raed isue"];

  it("answers as one that was made anew, whatever was there before and in whichever order it came", () => {
    const changed = createSearchIndex();
    for (const { key } of documents)
      changed.set({ key, name: "obsolete", description: "raed isue gone", server: "old" });
    for (const document of documents.toReversed()) changed.set(document);
    for (const { key } of documents.slice(0, 300)) changed.remove(key);
    for (const document of documents.slice(0, 150)) changed.set(document);
    const made = indexOf([...documents.slice(0, 150), ...documents.slice(300)]);
    expect(changed.size).toBe(made.size);
    for (const query of queries) {
      expect(changed.search(query, { limit: 20 })).toEqual(made.search(query, { limit: 20 }));
    }
    expect(changed.search("obsolete", { limit: 5 }).hits).toEqual([]);
  });

  it("removes what is not there without harm", () => {
    const index = createSearchIndex();
    index.remove("nobody");
    index.learn("query", "nobody");
    expect(index.size).toBe(0);
    expect(index.search("query", { limit: 1 })).toEqual({ hits: [], total: 0 });
  });
});

describe("learning", () => {
  it("finds by words that led to a tool before", () => {
    const index = indexOf(DOCUMENTS);
    expect(keys(index, "gizmo standup")).toEqual([]);
    index.learn("gizmo standup", "github/create_issue");
    expect(keys(index, "gizmo standup")[0]).toBe("github/create_issue");
    index.remove("github/create_issue");
    expect(keys(index, "gizmo standup")).toEqual([]);
  });

  it("never buries a name, however much is taught [search-names-first]", () => {
    const index = indexOf(DOCUMENTS);
    for (let n = 0; n < 500; n++) index.learn(`read_file please ${n}`, "mail/send");
    expect(keys(index, "read_file")[0]).not.toBe("mail/send");
    expect(keys(index, "read the contents of a file")[0]).not.toBe("mail/send");
  });

  it("pushes out nothing that fits by its words, where only some tools have been taught", () => {
    const cities = ["Bonn", "Trier", "Ulm", "Jena", "Hof"];
    const index = indexOf([
      { key: "rain", name: "rain_radar", description: "Shows rain over a town" },
      ...cities.map((city) => ({ key: city, name: `guide_${city}`, description: `A walk through ${city}` })),
    ]);
    for (const city of cities) {
      for (const place of ["park", "castle", "river"]) index.learn(`rain over the town near the ${place}`, city);
    }
    expect(keys(index, "rain over a town", 3)).toContain("rain");
  });
});

describe("what has little to do with the query", () => {
  const index = indexOf([
    ...DOCUMENTS,
    ...Array.from({ length: 300 }, (_, n) => ({
      key: `${n}`,
      name: `report_${n}`,
      description: `Report number ${n}. The colour of headings is an option, as are tables, letters and flats.`,
    })),
  ]);

  it.each(["why do cats purr at night", "paint my old wooden fence", "sharpen the kitchen knives"])(
    "is not found: %s",
    (query) => expect(index.search(query, { limit: 5 })).toEqual({ hits: [], total: 0 }),
  );

  it("is found among few more easily than among many", () => {
    const query = "wooden fences, ancient ones, complete";
    const accepts = (key: string) => key.startsWith("fs/");
    expect(index.search(query, { limit: 5, accepts }).hits).toEqual([]);
    expect(index.search(query, { limit: 5, accepts, among: 5 }).hits.length).toBe(1);
  });

  it("does not fill up what is found", () => {
    expect(keys(index, "merge a pull request with headings", 5)).toEqual(["github/merge_pull_request"]);
  });
});

describe("hostile input", () => {
  it("takes names and words of every language and of JavaScript", () => {
    const index = indexOf([
      { key: "__proto__", name: "__proto__", description: "constructor toString", server: "hasOwnProperty" },
      { key: "zh", name: "天气查询", description: "查询城市的天气预报" },
      { key: "de", name: "prüfe_straße", description: "Prüft Größen in Übersichten" },
      { key: "ja", name: "検索", description: "ファイルを検索する" },
      { key: "ko", name: "파일 읽기", description: "파일을 읽습니다" },
      { key: "ru", name: "найти_файл", description: "Ищет файлы" },
      { key: "emoji", name: "\u{1F600}\u{1F600}", description: "\ud800 broken" },
    ]);
    expect(keys(index, "__proto__")[0]).toBe("__proto__");
    expect(keys(index, "constructor")[0]).toBe("__proto__");
    expect(keys(index, "天气")[0]).toBe("zh");
    expect(keys(index, "weather")[0]).toBe("zh");
    expect(keys(index, "prufe strasse")[0]).toBe("de");
    expect(keys(index, "ファイルを検索")[0]).toBe("ja");
    expect(keys(index, "파일 읽기")[0]).toBe("ko");
    expect(keys(index, "файлы")[0]).toBe("ru");
    expect(keys(index, "\u{1F600}\u{1F600}")[0]).toBe("emoji");
  });

  it("stays quick with huge queries and descriptions", () => {
    const words = Array.from({ length: 100_000 }, (_, n) => `word${n}`).join(" ");
    const index = indexOf([
      ...DOCUMENTS,
      { key: "huge", name: "x".repeat(100_000), description: words, parameters: [words] },
    ]);
    const start = performance.now();
    for (const query of [
      "read file ".repeat(100_000),
      "a".repeat(1_000_000),
      "_".repeat(1_000_000),
      "a_".repeat(500_000),
      "/a".repeat(500_000),
      "文".repeat(300_000),
      "\ufdfa".repeat(100_000),
    ]) {
      index.search(query, { limit: 5 });
    }
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(keys(index, "read_file")[0]).toMatch(/read_file$/);
  });
});
