import type { HostCalls } from "../../core/source.ts";
import { type Job, type JobEnd, NO_ACCESS } from "../engine.ts";

/** The least that shows that an engine runs code and hears of its result. */
export const PROBE_JOB: Job = {
  program: { js: "return 1 + args.one", digest: "", name: "probe" },
  argsJson: '{"one":1}',
  limits: { memoryMiB: 64, argsBytes: 100, resultBytes: 100, logBytes: 0, hostCalls: { open: 0, total: 0 } },
  seed: "probe",
  startedAtMs: 0,
  may: NO_ACCESS,
  depth: 0,
  scope: "probe",
};

export const NO_PROBE_CALLS: HostCalls = { call: () => Promise.reject(new Error("not for probes")) };

/** What is wrong with an engine that gave this for {@link PROBE_JOB}; undefined when nothing is. */
export function probeProblem(end: JobEnd): string | undefined {
  if (end.state === "failed") return `${end.code}: ${end.message}`;
  return end.resultJson === "2" ? undefined : `1 + 1 gave ${end.resultJson}`;
}
