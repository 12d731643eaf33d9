import type { Row } from "./rounds.ts";

export interface Suite {
  summary: string;
  run(effort: Effort): Promise<Row[]>;
}

export interface Effort {
  /** Each figure is the median of so many. */
  rounds: number;
  /** 1 for a real run; smaller to see that it works at all. Multiplies the number of calls, tools and channels. */
  scale: number;
  /** Tells what is going on; for people. */
  say(line: string): void;
}

/** At least `least`, so that a smoke run still measures something. */
export const scaled = (count: number, { scale }: Effort, least = 1) => Math.max(least, Math.round(count * scale));
