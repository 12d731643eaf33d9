/** Enough of the web's DOMException for `atob` and `structuredClone` to throw the errors that code looks for. */
export class DOMException extends Error {
  readonly code: number;

  constructor(message = "", name = "Error") {
    super(message);
    Object.defineProperty(this, "name", { value: name, configurable: true, writable: true });
    this.code = { InvalidCharacterError: 5, DataCloneError: 25 }[name] ?? 0;
  }
}
