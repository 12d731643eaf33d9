import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Made by tools, and ignored by git. Read from the disk, not from git: a copy without history is tested as well. */
const MADE = /^(node_modules|dist|dist\..*|\.git|\.node|\.cache|\.dynamic-mcp|coverage)$/;

/** Paths of the project's own files below {@link ROOT}, with forward slashes, sorted. */
export function projectFiles(): string[] {
  const found: string[] = [];
  const walk = (folder: string) => {
    for (const entry of readdirSync(path.join(ROOT, folder), { withFileTypes: true })) {
      if (MADE.test(entry.name)) continue;
      const file = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(file);
      else if (!/\.(log|tsbuildinfo)$/.test(entry.name)) found.push(file);
    }
  };
  walk("");
  return found.toSorted();
}

export const readProjectFile = (file: string) => readFileSync(path.join(ROOT, file), "utf8");
