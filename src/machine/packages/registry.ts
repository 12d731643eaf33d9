import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import defaults from "npm-registry-fetch/lib/default-opts.js";
import { DynamicMcpError, hasCode } from "../../core/errors.ts";
import { strongest } from "./integrity.ts";
import type { RegistrySettings } from "./npmrc.ts";
import { notFound, unavailable } from "./registry-errors.ts";
import { createSender, type Sender } from "./registry-request.ts";

/**
 * The npm registry, as far as we use it: what is known of a name, and the archive of a version.
 *
 * Reaches the registry of the name's scope, over the operator's proxy if there is one, and nothing else: a redirect to
 * another host is not followed. Everything is bounded while it is read.
 */
export interface Registry {
  /**
   * @returns the registry's abridged document, parsed; its shape is the registry's claim
   * @throws PACKAGE_NOT_FOUND, REGISTRY_UNAVAILABLE
   */
  document(name: string): Promise<object>;

  /**
   * Writes the archive to `file`, which must not exist, and checks it as it comes in.
   *
   * @param maxBytes of the archive
   * @returns its bytes
   * @throws PACKAGE_NOT_FOUND, PACKAGE_INTEGRITY, PACKAGE_TOO_LARGE, REGISTRY_UNAVAILABLE; errors of the file system as
   *   they are
   */
  archive(of: Archive, file: string, maxBytes: number): Promise<number>;

  /** Ends open connections. */
  close(): void;
}

export interface Archive {
  name: string;
  version: string;
  integrity: string;
}

/** The largest known ones have some 30 MB in the abridged form. */
const MAX_DOCUMENT_BYTES = 96 * 1024 * 1024;
const ABRIDGED = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";

/** @param signal ends what is under way */
export function createRegistry(settings: RegistrySettings, signal: AbortSignal): Registry {
  const sender = createSender(settings, signal);
  const baseOf = (name: string) =>
    (settings.scopes[name.split("/")[0] ?? ""] ?? settings.registry ?? defaults.registry).replace(/\/*$/, "/");

  async function document(name: string): Promise<object> {
    const url = new URL(`${baseOf(name)}${name.replace("/", "%2f")}`);
    return sender.send(url, { accept: ABRIDGED }, async (response) => {
      if (isMissing(response)) throw notFound(`the registry has no package ${name}`, name);
      expectOk(response, url);
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of decoded(response)) {
        bytes += (chunk as Buffer).byteLength;
        if (bytes > MAX_DOCUMENT_BYTES) throw unavailable(url, `what it says of ${name} is longer than ${MAX_DOCUMENT_BYTES} bytes`); // prettier-ignore
        chunks.push(chunk as Buffer);
      }
      return documentFrom(Buffer.concat(chunks).toString("utf8"), url, name);
    });
  }

  async function archive(of: Archive, file: string, maxBytes: number): Promise<number> {
    const base = baseOf(of.name);
    const usual = new URL(`${base}${of.name}/-/${of.name.split("/").at(-1)}-${encodeURIComponent(of.version)}.tgz`);
    try {
      return await download(sender, usual, of, file, maxBytes);
    } catch (error) {
      if (!hasCode(error, "PACKAGE_NOT_FOUND")) throw error;
      // Some registries keep archives elsewhere, and say where.
      const told = archiveAddress(await document(of.name), of.version);
      if (told === undefined || told.href === usual.href) throw error;
      if (told.host !== new URL(base).host) throw unavailable(usual, `it has ${of.name} on another host (${told.host}), which is not asked`); // prettier-ignore
      return download(sender, told, of, file, maxBytes);
    }
  }

  return { document, archive, close: () => sender.close() };
}

function download(sender: Sender, url: URL, of: Archive, file: string, maxBytes: number): Promise<number> {
  const name = `${of.name}@${of.version}`;
  return sender.send(url, { accept: "*/*" }, async (response) => {
    if (isMissing(response)) throw notFound(`the registry has no archive of ${name}`, of.name);
    expectOk(response, url);
    const expected = strongest(of.integrity);
    if (!expected) throw new DynamicMcpError("PACKAGE_INTEGRITY", `the lock has no usable checksum of ${name}`, { data: { package: name } }); // prettier-ignore
    const hash = createHash(expected.algorithm);
    const bytes = await writeTo(file, response, hash, () => {
      const message = `the archive of ${name} has more than the ${maxBytes} bytes that are left of the limit (MCP_PACKAGES_MAX_MIB)`;
      return new DynamicMcpError("PACKAGE_TOO_LARGE", message, { data: { package: name, maxBytes } });
    }, maxBytes); // prettier-ignore
    if (!expected.digests.includes(hash.digest("base64"))) {
      const message = `what the registry sent for ${name} is not what was locked (${expected.algorithm} differs); nothing of it was unpacked`;
      throw new DynamicMcpError("PACKAGE_INTEGRITY", message, { data: { package: name } });
    }
    return bytes;
  });
}

async function writeTo(file: string, from: Readable, hash: Hash, tooLarge: () => Error, maxBytes: number) {
  // A second try after a broken connection begins anew.
  const out = createWriteStream(file, { flags: "w", mode: 0o600 });
  const written = finished(out);
  written.catch(() => {}); // told below
  let bytes = 0;
  try {
    for await (const chunk of from) {
      const data = chunk as Buffer;
      bytes += data.byteLength;
      if (bytes > maxBytes) throw tooLarge();
      hash.update(data);
      if (!out.write(data)) await Promise.race([once(out, "drain"), written]);
      if (out.errored) throw out.errored;
    }
    out.end();
    await written;
    return bytes;
  } finally {
    out.destroy();
    // A file that is removed while it is open still takes its space on the disk.
    if (!out.closed) await new Promise<void>((resolve) => out.once("close", resolve));
  }
}

function decoded(response: IncomingMessage): Readable {
  if (response.headers["content-encoding"] !== "gzip") return response;
  const gunzip = createGunzip();
  response.on("error", (error) => gunzip.destroy(error));
  return response.pipe(gunzip);
}

/** Gone for legal reasons is gone, too. */
const isMissing = ({ statusCode }: IncomingMessage) => statusCode === 404 || statusCode === 410 || statusCode === 451;

function expectOk({ statusCode }: IncomingMessage, url: URL): void {
  if (statusCode === 200) return;
  const hint = statusCode === 401 || statusCode === 403 ? "; look at the token for it in the operator's .npmrc" : "";
  throw unavailable(url, `it answered with status ${statusCode}${hint}`);
}

function documentFrom(text: string, url: URL, name: string): object {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw unavailable(url, `what it says of ${name} is not JSON`, cause);
  }
  if (typeof document !== "object" || document === null)
    throw unavailable(url, `what it says of ${name} is no document`);
  return document;
}

function archiveAddress(document: object, version: string): URL | undefined {
  const { versions } = document as { versions?: Record<string, { dist?: { tarball?: unknown } } | undefined> };
  const address = Object.hasOwn(versions ?? {}, version) ? versions?.[version]?.dist?.tarball : undefined;
  return typeof address === "string" && URL.canParse(address) ? new URL(address) : undefined;
}
