#!/usr/bin/env node
/*
 * The program under its shorter name: a proxy for the servers of a file. A file of its own, because what starts programs
 * on Windows tells no name; whoever links to this file calls it as they like. Nothing is imported here: an older Node
 * has to come as far as the sentence that says so.
 */
process.argv[1] = import.meta.filename;
await import("./main.ts");
