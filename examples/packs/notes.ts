/*
 * A pack: a tool, a prompt, a resource and a template around one list of notes.
 *
 *     node dist/main.js --transport http --pack examples/packs/notes.ts
 *
 * A pack of your own imports from "dynamic-mcp".
 */
import { definePack, type PackHost } from "../../src/index.ts";

const notes = new Map<string, string>([["welcome", "Notes live as long as the server does."]]);
let host: PackHost | undefined;

export default definePack({
  name: "notes",

  open(opened) {
    host = opened;
  },

  tools: [
    {
      name: "notes.add",
      description: "Keeps a note under a name, over any older one of that name.",
      inputSchema: {
        type: "object",
        properties: { name: { type: "string", pattern: "^[a-z0-9-]{1,40}$" }, text: { type: "string" } },
        required: ["name", "text"],
        additionalProperties: false,
      },
      annotations: { readOnlyHint: false, idempotentHint: true },
      run(args, ctx) {
        const { name, text } = args as { name: string; text: string }; // they fit the schema
        ctx.deadline.throwIfEnded();
        notes.set(name, text);
        host?.resourceUpdated("notes://all");
        return { notes: notes.size };
      },
    },
  ],

  prompts: [
    {
      name: "notes.summarize",
      description: "Asks for a summary of all notes.",
      run: () => `Summarize these notes:\n\n${[...notes].map(([name, text]) => `${name}: ${text}`).join("\n")}`,
    },
  ],

  resources: [
    {
      uri: "notes://all",
      name: "All notes",
      mimeType: "application/json",
      read: () => JSON.stringify(Object.fromEntries(notes)),
    },
  ],

  templates: [
    {
      uriTemplate: "notes://one/{name}",
      name: "One note",
      mimeType: "text/plain",
      read(_uri, { name = "" }) {
        const text = notes.get(name);
        if (text === undefined) throw new Error(`there is no note ${name}`);
        return text;
      },
      complete: ({ value }) => [...notes.keys()].filter((name) => name.startsWith(value)),
    },
  ],
});
