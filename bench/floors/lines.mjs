import { createServer } from "node:http";

/** Messages of stdio: one line each. */
export function onLines(stream, onLine) {
  let rest = "";
  stream.setEncoding("utf8").on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line !== "") onLine(line);
  });
}

/** @returns the value after `--name` on the command line, or undefined */
export function option(name) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

export const hasFlag = (name) => process.argv.includes(`--${name}`);

/** Starts listening on a free port of this machine and says where, to stderr. */
export function listenAndSay(server) {
  server.listen(0, "127.0.0.1", () => process.stderr.write(`http://127.0.0.1:${server.address().port}/mcp\n`));
}

/** Over HTTP with `--http`, else over stdio. */
export function serveEither(answer, serve) {
  if (hasFlag("http")) return listenAndSay(createServer((request, response) => void serve(request, response)));
  onLines(process.stdin, async (line) => {
    const text = await answer(JSON.parse(line));
    if (text !== undefined) process.stdout.write(`${text}\n`);
  });
  process.stdin.on("end", () => process.exit(0));
}

/** @returns the whole body of a request or answer, as text */
export function bodyOf(message) {
  return new Promise((resolve, reject) => {
    let body = "";
    message.setEncoding("utf8");
    message.on("data", (part) => (body += part));
    message.on("end", () => resolve(body));
    message.on("error", reject);
  });
}
