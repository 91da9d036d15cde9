// How the log's rows and cursors are spelled in the database.
import { type Cursor, NOTHING_SETTLED } from "../pending.js";
import type { Columns } from "./engine.js";

/** The bits of the column `marks`. */
export const Mark = {
  /** Appended as pending; whether it still is, the owner's cursor says. */
  pending: 1,
  hidden: 2,
} as const;

/** The cursor in an owner's row. */
export function cursorOf(owner: Columns | undefined): Cursor {
  if (!owner) return NOTHING_SETTLED;
  return { settledTo: Number(owner["settled_to"]), open: JSON.parse(String(owner["open"])) as number[] };
}
