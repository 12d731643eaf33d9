import { createHash } from "node:crypto";
import { DynamicMcpError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { packageImports, unknownImports } from "../engines/choose.ts";
import type { PackageBundle } from "../engines/engine.ts";
import type { PackageLock } from "../machine/packages/packages.ts";
import type { Actor, EngineChoice } from "./authored.ts";
import { imageOf, type ToolDraft } from "./definition.ts";
import type { AuthoredServices, Runnable } from "./services.ts";

/** Code that compiles, with packages that are installed and an engine that was found for it. */
export interface Prepared {
  runnable: Runnable;
  choice: EngineChoice;
  /** The program's text where it is not the code itself. */
  js?: string;
}

type Code = Pick<
  ToolDraft,
  "name" | "code" | "language" | "timeoutMs" | "dependencies" | "network" | "secrets" | "uses"
> & { image?: string };

/** What is known from a revision before, whose dependencies are the same. */
export interface Kept {
  lock?: PackageLock;
  /** Only with its lock, and only where the imports are the same, too. */
  bundle?: PackageBundle;
}

/**
 * Compiles, locks and installs packages, and finds an engine: after this, nothing about the code is decided any more.
 *
 * What is kept is not looked for again; packages that are kept as a bundle need no layer for it.
 *
 * @throws INVALID_ARGUMENTS, INVALID_CODE, ENGINE_UNAVAILABLE, IMAGE_*, PACKAGE_*, REGISTRY_UNAVAILABLE
 */
export async function prepare(services: AuthoredServices, draft: Code, by: Actor, kept: Kept = {}): Promise<Prepared> {
  const { name, code, language, timeoutMs, dependencies, image, network, secrets, uses } = draft;
  const { maxTimeoutMs } = services.settings;
  if (timeoutMs > maxTimeoutMs && timeoutMs !== LIMITS.timeoutMs.default) {
    throw new DynamicMcpError("INVALID_ARGUMENTS", `timeoutMs must be at most ${maxTimeoutMs} on this server, got ${timeoutMs}`); // prettier-ignore
  }
  const { program, needsNode } = await services.compile({ code, language, name });
  assertKnownImports({ needsNode, dependencies });
  const lock = dependencies.length === 0 ? undefined : (kept.lock ?? (await services.packages.resolve(dependencies, by.deadline, by.onProgress))); // prettier-ignore

  let bundle: PackageBundle | undefined;
  const needs = {
    needsNode,
    dependencies,
    ...(image !== undefined && { image: imageOf(image, services.settings.defaultImage) }),
    async bundle() {
      if (!lock) return undefined;
      if (kept.bundle) {
        bundle = kept.bundle;
        return undefined;
      }
      const imports = packageImports({ needsNode, dependencies });
      const made = await withLayer(services, lock, by, ({ folder }) =>
        services.bundle({ folder, imports }, by.deadline),
      );
      if ("reason" in made) return made.reason;
      bundle = made;
      return undefined;
    },
  };
  const choice = await services.chooseEngine(needs, by);
  // What cannot be installed is refused now, not at the first call.
  if (lock && choice.engine !== "quickjs") await withLayer(services, lock, by, async () => {});
  return {
    runnable: {
      name,
      program,
      engine: choice.engine,
      timeoutMs,
      image: imageOf(image, services.settings.defaultImage),
      ...(lock && { lock }),
      ...(bundle && { bundle }),
      ...{ network, secrets, uses },
    },
    choice,
    ...(program.js !== code && { js: program.js }),
  };
}

/** Runs `use` while the packages of a lock are there. */
export async function withLayer<T>(
  { packages }: Pick<AuthoredServices, "packages">,
  lock: PackageLock,
  { deadline, onProgress }: Pick<Actor, "deadline" | "onProgress">,
  use: (layer: { key: string; folder: string }) => Promise<T>,
): Promise<T> {
  const lease = await packages.layer(lock, deadline, onProgress);
  try {
    return await use({ key: lease.key, folder: lease.folder });
  } finally {
    lease.release();
  }
}

/** A bundle as it was kept. */
export function bundleOf(js: string): PackageBundle {
  return { js, digest: createHash("sha256").update(js).digest("hex") };
}

function assertKnownImports(needs: Parameters<typeof unknownImports>[0]): void {
  const [stray] = unknownImports(needs);
  if (stray === undefined) return;
  const isPath = stray.startsWith(".") || stray.startsWith("/") || stray.includes(":");
  const what = isPath ? "only npm packages and modules of Node can be imported" : `add ${JSON.stringify(stray)} to \`dependencies\`, with a version`; // prettier-ignore
  throw new DynamicMcpError("INVALID_CODE", `the code imports ${JSON.stringify(stray)}, which is not there: ${what}`, {
    data: { import: stray },
  });
}
