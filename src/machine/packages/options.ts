import type { Logger } from "../../core/source.ts";
import type { RegistrySettings } from "./npmrc.ts";

export interface PackageOptions {
  /** Where the layers are kept; made when first needed. Several processes may share it. */
  folder: string;
  registry: RegistrySettings;
  /** Names or patterns such as `@scope/*`, for dependencies of dependencies too; empty: all that are not blocked. */
  allowed: readonly string[];
  blocked: readonly string[];
  limits: PackageLimits;
  log: Logger;
}

export interface PackageLimits {
  /** Most that one tool may name. */
  maxDirect: number;
  /** With those that these depend on. */
  maxPackages: number;
  /** Of one layer, unpacked. */
  maxBytes: number;
  maxFiles: number;
  /** Of all layers together. What somebody uses stays, even above it. */
  budgetBytes: number;
}

export const DEFAULT_LIMITS: PackageLimits = Object.freeze({
  maxDirect: 32,
  maxPackages: 300,
  maxBytes: 200 * 1024 * 1024,
  maxFiles: 20_000,
  budgetBytes: 2 * 1024 * 1024 * 1024,
});
