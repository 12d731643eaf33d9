/** Why packages cannot be bundled; thrown within the bundler, told outside as text. */
export class Unbundlable extends Error {
  override readonly name = "Unbundlable";
  /** Node's own modules were asked for: another build of the package may do without. */
  readonly needsNode: boolean;

  constructor(reason: string, needsNode = false) {
    super(reason);
    this.needsNode = needsNode;
  }
}
