import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";

/** Runs one statement, prepared at its first use, and gives its rows. */
export type Run = (sql: string, ...values: SQLInputValue[]) => Record<string, SQLOutputValue>[];

export function createRun(db: DatabaseSync): Run {
  const prepared = new Map<string, StatementSync>();
  return (sql, ...values) => {
    let statement = prepared.get(sql);
    if (!statement) prepared.set(sql, (statement = db.prepare(sql)));
    return statement.all(...values);
  };
}
