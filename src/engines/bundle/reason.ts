/** Why packages cannot be bundled; thrown within the bundler, told outside as text. */
export class Unbundlable extends Error {
  override readonly name: string = "Unbundlable";
}

/** Something of Node was asked for. */
export class NeedsNode extends Unbundlable {
  override readonly name = "NeedsNode";
}
