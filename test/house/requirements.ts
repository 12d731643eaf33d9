/**
 * What we promise, and where the promise comes from. Tests cite an id in brackets at the end of their title:
 *
 *   it("ends the run when the client cancels [call-cancel]", ...)
 *
 * A promise that no test cites fails, and so does a citation of something that is not promised.
 */
export interface Promised {
  id: string;
  promise: string;
  /** A page of ours, or the specification and section that asks for it. */
  source: string;
}

export const REQUIREMENTS: readonly Promised[] = [
  {
    id: "house-walls",
    promise: "A folder imports only front files of lower floors.",
    source: "CONTRIBUTING.md#the-house",
  },
  {
    id: "house-two-commands",
    promise: "npm start and npm test install and build what is missing or stale, and pass signals and exit codes on.",
    source: "CONTRIBUTING.md#commands",
  },
  {
    id: "house-start",
    promise:
      "npm start serves over HTTP on the loopback, prints where, and ends with exit code 0 when it is told to stop.",
    source: "README.md",
  },
  {
    id: "house-pinned-node",
    promise: "A fetched Node whose sha512 is not the pinned one is never unpacked.",
    source: "CONTRIBUTING.md#commands",
  },
];
