import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { APPLICATION_ID, migrate, MIGRATIONS, readSchemaVersion, SCHEMA_VERSION } from "./migrations.ts";

const shapeOf = (db: DatabaseSync) => db.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY name").all();

describe("migrations", () => {
  it("bring an empty file to the present shape, and leave a present one alone", () => {
    using db = new DatabaseSync(":memory:");
    expect(readSchemaVersion(db, "x")).toBe(0);
    migrate(db, "x");
    const shape = shapeOf(db);
    expect(readSchemaVersion(db, "x")).toBe(SCHEMA_VERSION);
    migrate(db, "x");
    expect(shapeOf(db)).toEqual(shape);
  });

  it("bring every older step to the same shape", () => {
    using fresh = new DatabaseSync(":memory:");
    migrate(fresh, "x");
    for (let step = 0; step < SCHEMA_VERSION; step++) {
      using db = new DatabaseSync(":memory:");
      for (const sql of MIGRATIONS.slice(0, step)) db.exec(sql);
      db.exec(`PRAGMA user_version = ${step}; PRAGMA application_id = ${APPLICATION_ID}`);
      migrate(db, "x");
      expect(shapeOf(db)).toEqual(shapeOf(fresh));
    }
  });

  it("hold one live name per place", () => {
    using db = new DatabaseSync(":memory:");
    migrate(db, "x");
    const row = (id: string, removedAt: string | null) =>
      db
        .prepare(
          "INSERT INTO items VALUES (?, 'tool', 'n', 'n', 'shared', 'o', NULL, '', 1, 1, 't', 't', ?, NULL, '{}')",
        )
        .run(id, removedAt);
    row("1", "t");
    row("2", "t");
    row("3", null);
    expect(() => row("4", null)).toThrow(/UNIQUE/);
  });
});
