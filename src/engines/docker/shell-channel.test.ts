import { describe, expect, it } from "vitest";
import { createShellChannel, MAX_IDLE_BYTES } from "./shell-channel.ts";

describe("what comes out of a shell while no command runs", () => {
  const piece = Buffer.alloc(1024 * 1024);

  function openChannel() {
    const written: string[] = [];
    let floods = 0;
    const channel = createShellChannel(
      (text) => written.push(text),
      () => floods++,
    );
    const { onStdout, onStderr } = channel.handlers;
    const idle = (bytes: number) => {
      for (let left = bytes; left > 0; left -= piece.byteLength) onStderr(piece.subarray(0, left));
    };
    /** What the agent says when the newest command has ended. */
    const finish = () => {
      const id = written.at(-1)?.split(" ")[1] ?? "";
      const mark = Buffer.from(`\u001e${channel.greeting.trim()} end ${id} 0 0 /workspace\n`);
      onStdout(mark);
      onStderr(mark);
      return mark.byteLength;
    };
    return { channel, onStdout, idle, finish, floods: () => floods };
  }

  it("may be so much and no more, on both outputs together", () => {
    const { onStdout, idle, floods } = openChannel();
    onStdout(piece);
    idle(MAX_IDLE_BYTES - piece.byteLength);
    expect(floods()).toBe(0);
    onStdout(piece.subarray(0, 1));
    expect(floods()).toBe(1);
  });

  it("is counted from the end of the last command, and what a command prints is not", async () => {
    const { channel, idle, finish, floods } = openChannel();
    idle(MAX_IDLE_BYTES);
    let bytes = 0;
    const { ended } = channel.run("flood", (_, { byteLength }) => (bytes += byteLength));
    idle(MAX_IDLE_BYTES + 1);
    const markBytes = finish();
    expect(await ended).toMatchObject({ how: "exited", exitCode: 0 });
    expect(bytes).toBe(MAX_IDLE_BYTES + 1);
    idle(MAX_IDLE_BYTES - markBytes);
    expect(floods()).toBe(0);
    idle(1);
    expect(floods()).toBe(1);
  });

  it("counts also where it looks like the agent's words", () => {
    const { channel, onStdout, floods } = openChannel();
    const mark = Buffer.from(`\u001e${channel.greeting.trim()} killed c1.000000000000 0\n`);
    const marks = Buffer.concat(Array.from({ length: Math.floor(piece.byteLength / mark.byteLength) }, () => mark));
    for (let bytes = 0; bytes <= MAX_IDLE_BYTES; bytes += marks.byteLength) onStdout(marks);
    expect(floods()).toBe(1);
  });
});
