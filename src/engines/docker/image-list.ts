import type { ImageFacts } from "../../machine/docker/images.ts";

/** Which images an operator allows: `name:tag`, `name@sha256:...` or `sha256:...`; an empty list allows any. */
export interface ImageList {
  /** Before the daemon is asked: whether an image of this name, if it is there, can be allowed at all. */
  mayBe(name: string): boolean;
  /** Whether it may be fetched: only what is listed by this very name, so that nobody makes the daemon call elsewhere. */
  mayFetch(name: string): boolean;
  /** What the daemon has under this name. A digest counts by what the image is, not by how it is called. */
  allows(name: string, facts: ImageFacts): boolean;
}

export function createImageList(allowed: readonly string[]): ImageList {
  const names = new Set(allowed.filter((entry) => !isDigest(entry)).map(fullName));
  const digests = new Set(allowed.filter(isDigest).map(fullName));
  const repositories = new Set([...digests].map((entry) => entry.split("@")[0]));
  const isOpen = allowed.length === 0;
  const mayFetch = (name: string) => isOpen || names.has(fullName(name)) || digests.has(fullName(name));

  return {
    mayFetch,
    mayBe(name) {
      const full = fullName(name);
      return mayFetch(name) || isId(name) || repositories.has(repositoryOf(full)) || [...digests].some(isId);
    },
    allows(name, facts) {
      const full = fullName(name);
      if (isOpen || names.has(full)) return true;
      return digests.has(facts.id) || facts.digests.some((digest) => digests.has(fullName(digest)));
    },
  };
}

const isId = (name: string) => /^sha256:[0-9a-f]{64}$/.test(name);
const isDigest = (name: string) => isId(name) || name.includes("@sha256:");
const repositoryOf = (full: string) => full.split("@")[0]?.replace(/:[^:/]*$/, "");

/** The daemon's own reading: `node` is `docker.io/library/node:latest`; with a digest, a tag says nothing. */
export function fullName(name: string): string {
  if (isId(name)) return name;
  const at = name.indexOf("@");
  const digest = at < 0 ? "" : name.slice(at);
  const plain = at < 0 ? name : name.slice(0, at);
  const colon = plain.lastIndexOf(":");
  const hasTag = colon > plain.lastIndexOf("/");
  const path = hasTag ? plain.slice(0, colon) : plain;
  const tag = digest === "" ? `:${hasTag ? plain.slice(colon + 1) : "latest"}` : "";
  const first = path.split("/")[0] ?? "";
  const hasHost = path.includes("/") && (/[.:]/.test(first) || first === "localhost");
  const hosted = hasHost ? path.replace(/^index\.docker\.io\//, "docker.io/") : `docker.io/${path}`;
  const full = /^docker\.io\/[^/]+$/.test(hosted) ? hosted.replace("docker.io/", "docker.io/library/") : hosted;
  return `${full}${tag}${digest}`;
}

/** What a name may look like at all: nothing that the API's paths or a terminal would read otherwise. */
export function isImageName(name: string): boolean {
  return name.length <= 400 && /^[\w][\w.\-/:]*(@sha256:[0-9a-f]{64})?$/.test(name) && !name.includes("..");
}
