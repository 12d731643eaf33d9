import { Socket } from "node:net";
import { createFrameReader, frame } from "../../machine/frames.ts";
import { link, type LinkTask } from "./link.ts";
import { Unbundlable } from "./reason.ts";

/**
 * The locked process that bundles packages: it can read one layer and itself, and runs nothing of what it reads. It gets
 * one task over file descriptor 3, answers, and ends.
 */
export type BundlerAnswer = { js: string } | { reason: string } | { fault: string };

const CHANNEL = 3;
const MAX_TASK_BYTES = 1024 * 1024;

const channel = new Socket({ fd: CHANNEL, readable: true, writable: true });
const leave = () => process.exit(0);
channel.on("close", leave);
channel.on("end", leave);
channel.on("error", leave);

function answerTo(task: LinkTask): BundlerAnswer {
  try {
    return { js: link(task) };
  } catch (error) {
    if (error instanceof Unbundlable) return { reason: error.message };
    return { fault: String(error instanceof Error ? error.stack : error) };
  }
}

const reader = createFrameReader(MAX_TASK_BYTES, (bytes) => {
  const answer = answerTo(JSON.parse(Buffer.from(bytes).toString("utf8")) as LinkTask);
  channel.write(Buffer.concat(frame([Buffer.from(JSON.stringify(answer), "utf8")])));
});
channel.on("data", (chunk: Buffer) => reader.push(chunk));
