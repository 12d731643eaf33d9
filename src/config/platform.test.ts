import { describe, expect, it } from "vitest";
import { platformCacheDir, platformConfigDir, platformDataDir } from "./platform.ts";

const machine = (platform: NodeJS.Platform, homeDir: string, env = {}) => ({ platform, homeDir, env });

describe("folders of the platform", () => {
  it.each([
    [machine("linux", "/home/ann"), "/home/ann/.local/share/dynamic-mcp", "/home/ann/.config/dynamic-mcp"],
    [machine("linux", "/home/ann", { XDG_DATA_HOME: "/d", XDG_CONFIG_HOME: "/c" }), "/d/dynamic-mcp", "/c/dynamic-mcp"],
    // The specification: relative paths are to be ignored.
    [machine("linux", "/home/ann", { XDG_DATA_HOME: "d" }), "/home/ann/.local/share/dynamic-mcp", "/home/ann/.config/dynamic-mcp"],
    [machine("darwin", "/Users/ann"), "/Users/ann/Library/Application Support/dynamic-mcp", "/Users/ann/Library/Application Support/dynamic-mcp"],
    [machine("win32", "C:\\Users\\ann", { LOCALAPPDATA: "C:\\L" }), "C:\\L\\dynamic-mcp", "C:\\L\\dynamic-mcp"],
    [machine("win32", "C:\\Users\\ann"), "C:\\Users\\ann\\AppData\\Local\\dynamic-mcp", "C:\\Users\\ann\\AppData\\Local\\dynamic-mcp"],
  ])("%j", (on, data, config) => {
    expect(platformDataDir(on)).toBe(data);
    expect(platformConfigDir(on)).toBe(config);
    expect(platformCacheDir(on)).toMatch(/dynamic-mcp/);
  }); // prettier-ignore
});
