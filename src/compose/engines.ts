import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ambient } from "../config/ambient.ts";
import type { Settings } from "../config/schema.ts";
import type { Deadline } from "../core/deadline.ts";
import { DynamicMcpError, hasCode } from "../core/errors.ts";
import type { Logger } from "../core/source.ts";
import type { EngineOffers } from "../engines/choose.ts";
import type { DockerBase } from "../engines/docker/docker-base.ts";
import type { EngineName, ExecutionEngine } from "../engines/engine.ts";
import { createQuickjsEngine } from "../engines/quickjs/quickjs-engine.ts";
import { lazily } from "./lazily.ts";
import { lazyEngine } from "./lazy-engine.ts";

/** Where code runs. What talks to Docker or makes jails is loaded when it is first needed. */
export interface Engines {
  all: Record<EngineName, ExecutionEngine>;
  /** The daemon, for shells. */
  docker(): Promise<DockerBase>;
  /** What can be had now, for one choice. */
  offersFor(by: { deadline: Deadline; onProgress?(message: string): void }): EngineOffers;
  /** Takes away what servers that were killed have left behind; never rejects. */
  tidy(): Promise<void>;
  /** The daemon, once the engines and shells are closed. */
  closeDocker(): Promise<void>;
}

/** In the data folder, once a daemon was asked for anything. */
const USED_MARK = "docker.used";

export function openEngines(settings: Settings, ambient: Ambient, log: Logger): Engines {
  const { engines, sandbox } = settings;
  const mark = join(settings.server.dataDir, USED_MARK);
  const base = lazily(async () => {
    await writeFile(mark, "").catch(() => {}); // without it the next start does not look, and the first use does
    return openDocker(settings, ambient, log);
  });
  const docker = base.get;

  const inDocker = lazyEngine("docker", async () => {
    const [{ createDockerEngine }, daemon] = await Promise.all([
      import("../engines/docker/docker-engine.ts"),
      docker(),
    ]);
    return createDockerEngine(daemon, {
      maxContainers: sandbox.maxSandboxes,
      warm: sandbox.warm,
      cpus: sandbox.cpus,
      maxResultBytes: sandbox.maxOutputBytes,
      reuse: sandbox.reuse,
    });
  });
  const inNode = lazyEngine("node", async () => {
    const { createNodeEngine } = await import("../engines/node/node-engine.ts");
    return createNodeEngine({
      log,
      allowWithoutJail: engines.nodeWithoutJail,
      maxLive: sandbox.maxSandboxes,
      idlePerKey: sandbox.warm,
    });
  });
  // Most servers never ask a daemon for anything: only those that did, or will, look there when they start.
  const mayHaveLeftovers = () => engines.use === "docker" || existsSync(mark);

  return {
    all: { quickjs: createQuickjsEngine({ maxProcesses: engines.maxProcesses, log }), docker: inDocker, node: inNode },
    docker,

    offersFor: ({ deadline, onProgress }) => ({
      async docker(image) {
        try {
          const daemon = await docker();
          await daemon.open(deadline.signal);
          const facts = await daemon.images.find(image ?? daemon.defaultImage, deadline, onProgress);
          await daemon.nodeOf(facts, deadline);
          return undefined;
        } catch (error) {
          deadline.throwIfEnded();
          if (error instanceof DynamicMcpError) return error;
          throw error;
        }
      },
      async node() {
        const { isAvailable, level, problem = "it does not run here" } = await inNode.probe();
        return isAvailable ? { level } : { problem };
      },
    }),

    async tidy() {
      const { removeStaleControlGroups } = await import("../machine/cgroup.ts");
      await removeStaleControlGroups();
      if (!mayHaveLeftovers()) return;
      try {
        // Only a look: a server that never runs a container shows nothing of itself on the daemon.
        await (await docker()).reaper.sweep();
      } catch (error) {
        // No daemon is the usual case, and nothing to tidy.
        if (!hasCode(error, "ENGINE_UNAVAILABLE")) log.warn({ err: error }, "could not look for leftovers in docker");
      }
    },

    async closeDocker() {
      await (await base.made())?.close();
    },
  };
}

async function openDocker({ sandbox }: Settings, ambient: Ambient, log: Logger): Promise<DockerBase> {
  const { createDockerBase } = await import("../engines/docker/docker-base.ts");
  const { dockerHost, dockerTlsVerify, dockerCertPath, allowedImages, imagePull, runtime } = sandbox;
  return createDockerBase({
    ...(dockerHost !== undefined && { host: dockerHost }),
    isTls: dockerTlsVerify,
    ...(dockerCertPath !== undefined && { certFolder: dockerCertPath }),
    ...(ambient.runtimeDir !== undefined && { runtimeFolder: ambient.runtimeDir }),
    allowedImages,
    pull: imagePull,
    ...(runtime !== undefined && { runtime }),
    log,
  });
}
