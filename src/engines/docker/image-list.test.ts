import { describe, expect, it } from "vitest";
import { createImageList, fullName, isImageName } from "./image-list.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const OTHER = `sha256:${"b".repeat(64)}`;
const facts = (digests: string[] = [], id = `sha256:${"c".repeat(64)}`) => ({
  id,
  digests,
  names: [],
  os: "linux",
  arch: "amd64",
  labels: {},
  user: "",
  env: [],
  volumes: [],
});

describe("names of images", () => {
  it.each([
    ["node", "docker.io/library/node:latest"],
    ["node:22", "docker.io/library/node:22"],
    ["docker.io/node:22", "docker.io/library/node:22"],
    ["index.docker.io/library/node:22", "docker.io/library/node:22"],
    ["me/tool", "docker.io/me/tool:latest"],
    ["localhost/tool:1", "localhost/tool:1"],
    ["registry.example:5000/a/b", "registry.example:5000/a/b:latest"],
    [`node:22@${DIGEST}`, `docker.io/library/node@${DIGEST}`],
    [DIGEST, DIGEST],
  ])("%s is %s", (name, full) => {
    expect(fullName(name)).toBe(full);
  });

  it.each(["", "a b", "../x", "a/../b", "-x", "a@sha256:1", "a?b=c", "a#b", "a\nb", "x".repeat(401), "á"])(
    "%j is none",
    (name) => {
      expect(isImageName(name)).toBe(false);
    },
  );
});

describe("a list of allowed images", () => {
  it("allows any when it is empty", () => {
    const list = createImageList([]);
    expect(list.mayBe("anything:1")).toBe(true);
    expect(list.allows("anything:1", facts())).toBe(true);
  });

  it("allows a name with its tag, however it is spelled, and no other tag", () => {
    const list = createImageList(["node:22", "registry.example:5000/tool"]);
    for (const name of ["node:22", "docker.io/library/node:22", "registry.example:5000/tool:latest"]) {
      expect(list.mayBe(name) && list.allows(name, facts())).toBe(true);
    }
    for (const name of ["node", "node:221", "evil/node:22", "registry.example:5000/tool:2", "registry.example/tool"]) {
      expect(list.mayBe(name)).toBe(false);
    }
  });

  it("allows what has the digest, by whatever tag, and nothing else of that name", () => {
    const list = createImageList([`node@${DIGEST}`]);
    expect(list.mayBe("node:22")).toBe(true);
    expect(list.allows("node:22", facts([`node@${DIGEST}`]))).toBe(true);
    expect(list.allows("node:22", facts([`node@${OTHER}`]))).toBe(false);
    expect(list.allows("node:22", facts([`evil@${DIGEST}`]))).toBe(false);
    expect(list.mayBe("evil:1")).toBe(false);
  });

  it("lets only what it names be fetched: a digest or an id may be there by another name, and is not looked for elsewhere", () => {
    const list = createImageList(["node:22", `tool@${DIGEST}`, OTHER]);
    for (const name of ["node:22", `tool@${DIGEST}`]) expect(list.mayFetch(name)).toBe(true);
    for (const name of ["tool:1", "169.254.169.254:80/evil:1", "node:23"]) expect(list.mayFetch(name)).toBe(false);
    expect(createImageList([]).mayFetch("anything:1")).toBe(true);
  });

  it("allows what has the id", () => {
    const list = createImageList([DIGEST]);
    expect(list.allows("local:1", facts([], DIGEST))).toBe(true);
    expect(list.allows("local:1", facts([], OTHER))).toBe(false);
  });
});
