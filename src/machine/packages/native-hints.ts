/** Packages that do nothing but find or make native code. */
const TOOLS = new Set(["node-gyp-build", "node-gyp-build-optional-packages", "prebuild-install", "node-pre-gyp", "@mapbox/node-pre-gyp", "bindings", "node-addon-api", "nan", "cmake-js", "prebuildify"]); // prettier-ignore
/** `@img/sharp-linux-x64`, `esbuild-darwin-arm64`, `@swc/core-win32-x64-msvc` */
const FOR_A_PLATFORM = /(?:^|[-/.])(?:linux|linuxmusl|darwin|win32)-(?:x64|arm64|ia32|arm)(?:-|$)/;

export interface NativeHints {
  dependencies?: Record<string, unknown>;
  optionalDependencies?: Record<string, unknown>;
  hasInstallScript?: unknown;
  gypfile?: unknown;
}

/**
 * What a manifest tells of native code; what it does not tell shows when the archive is unpacked.
 *
 * @returns why the package cannot do without native code; undefined when nothing says so
 */
export function nativeCodeOf(manifest: NativeHints): string | undefined {
  if (manifest.gypfile === true) return "it is built with node-gyp";
  const { dependencies = {}, optionalDependencies = {} } = manifest;
  const tool = Object.keys(dependencies).find((name) => TOOLS.has(name) && !Object.hasOwn(optionalDependencies, name));
  if (tool !== undefined && manifest.hasInstallScript === true) return `its install script uses ${tool}`;
  const forPlatforms = Object.keys(optionalDependencies).filter((name) => FOR_A_PLATFORM.test(name));
  return forPlatforms.length > 1 ? `it has a package for each platform, such as ${forPlatforms[0]}` : undefined;
}
