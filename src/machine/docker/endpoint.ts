import { readFileSync } from "node:fs";
import path from "node:path";
import { daemonUnavailable } from "./docker-error.ts";

/** Where a daemon is, in the words of the Docker command line. The caller reads the environment, not this folder. */
export interface EndpointOptions {
  /**
   * As in DOCKER_HOST: `unix:///path`, `npipe:////./pipe/name`, `tcp://host:port`, `http://`, `https://`.
   * Absent: the first of the usual sockets that answers.
   */
  host?: string;
  /** As in DOCKER_TLS_VERIFY: `tcp://` is spoken with TLS. A certificate is always checked. */
  isTls?: boolean;
  /** As in DOCKER_CERT_PATH: a folder with `ca.pem`, `cert.pem`, `key.pem`, each of them optional. */
  certFolder?: string;
  /** As in XDG_RUNTIME_DIR, where rootless daemons have their socket. */
  runtimeFolder?: string;
}

export interface Endpoint {
  /** For people. */
  address: string;
  /** What `node:http` or `node:https` is given. */
  target:
    | { socketPath: string }
    | { host: string; port: number; tls?: { ca?: Buffer; cert?: Buffer; key?: Buffer; servername?: string } };
}

const PIPE = "//./pipe/docker_engine";

/**
 * The places to try, best first.
 * @throws ENGINE_UNAVAILABLE for an address that cannot be used, or a certificate that cannot be read
 */
export function endpoints(options: EndpointOptions): Endpoint[] {
  if (options.host !== undefined && options.host !== "") return [parseHost(options.host, options)];
  if (process.platform === "win32") return [pipe(PIPE)];
  const rootless = options.runtimeFolder;
  return [
    "/var/run/docker.sock",
    ...(rootless === undefined ? [] : [path.join(rootless, "docker.sock"), path.join(rootless, "podman/podman.sock")]),
    "/run/podman/podman.sock",
  ].map(socket);
}

const socket = (file: string): Endpoint => ({ address: `unix://${file}`, target: { socketPath: file } });
const pipe = (name: string): Endpoint => ({
  address: `npipe://${name}`,
  target: { socketPath: name.replaceAll("/", "\\") },
});

const PLAIN_PORT = 2375;
const TLS_PORT = 2376;

function parseHost(host: string, options: EndpointOptions): Endpoint {
  if (host.startsWith("unix://")) {
    const file = host.slice("unix://".length);
    if (path.isAbsolute(file)) return socket(file);
  } else if (host.startsWith("npipe://")) {
    return pipe(host.slice("npipe://".length));
  } else if (URL.canParse(host)) {
    const url = new URL(host);
    const isTls = url.protocol === "https:" || (options.isTls === true && url.protocol === "tcp:");
    if (["tcp:", "http:", "https:"].includes(url.protocol) && url.hostname !== "") {
      const name = url.hostname.replace(/^\[(.*)\]$/, "$1");
      const port = url.port === "" ? (isTls ? TLS_PORT : PLAIN_PORT) : Number(url.port);
      const target = { host: name, port, ...(isTls && { tls: certificates(options.certFolder) }) };
      return { address: `${isTls ? "https" : "tcp"}://${url.hostname}:${port}`, target };
    }
  }
  throw daemonUnavailable(
    "DOCKER_HOST is not an address that can be used: write unix:///path/to/docker.sock, npipe:////./pipe/name, " +
      "tcp://host:port or https://host:port (for ssh:// forward the socket first: ssh -L /tmp/docker.sock:/var/run/docker.sock)",
  );
}

function certificates(folder: string | undefined): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  if (folder === undefined) return {};
  const read = (file: string): Buffer | undefined => {
    try {
      return readFileSync(path.join(folder, file));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw daemonUnavailable(`${file} of DOCKER_CERT_PATH cannot be read`, cause);
    }
  };
  const [ca, cert, key] = [read("ca.pem"), read("cert.pem"), read("key.pem")];
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}
