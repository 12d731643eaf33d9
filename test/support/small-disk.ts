import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A disk of its own in memory, so that it can be filled and made read-only. */
export interface SmallDisk {
  folder: string;
  /** Nothing on it may be open for writing. */
  makeReadOnly(): void;
  makeWritable(): void;
  remove(): void;
}

/**
 * @returns undefined where no disk can be mounted: not Linux, or not root
 * @throws Error instead, where every part is required (`DYNAMIC_MCP_REQUIRE_PARTS=1`, as in `.ci/run`)
 */
export function mountSmallDisk(sizeKiB: number): SmallDisk | undefined {
  const folder = mkdtempSync(join(tmpdir(), "dynamic-mcp-disk-"));
  const mount = (...options: string[]) => spawnSync("mount", options, { stdio: "ignore" }).status === 0;
  if (process.platform !== "linux" || !mount("-t", "tmpfs", "-o", `size=${sizeKiB}k`, "dynamic-mcp-test", folder)) {
    rmSync(folder, { recursive: true });
    if (process.env["DYNAMIC_MCP_REQUIRE_PARTS"] === "1") throw new Error("no disk can be mounted, and it is required");
    return undefined;
  }
  const remount = (how: "ro" | "rw") => {
    if (!mount("-o", `remount,${how}`, folder)) throw new Error(`the disk at ${folder} could not be remounted ${how}`);
  };
  return {
    folder,
    makeReadOnly: () => remount("ro"),
    makeWritable: () => remount("rw"),
    remove() {
      spawnSync("umount", [folder]);
      rmSync(folder, { recursive: true });
    },
  };
}
