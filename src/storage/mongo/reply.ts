// The answer to an ordered write command, which is a success even where its statements failed: how far it got, and why no further.
import { StoreFault } from "../port.js";
import { CODE, type Fate, fateOf, faultOf } from "./faults.js";
import type { MongoPlace } from "./place.js";

/** What the server answers: https://www.mongodb.com/docs/manual/reference/command/update/#output */
export interface Reply {
  /** Documents inserted, matched (or made by an upsert), or deleted. */
  readonly n?: number;
  readonly writeErrors?: readonly WriteError[];
  readonly writeConcernError?: { readonly code?: number; readonly errmsg?: string };
}

export interface WriteError {
  readonly index: number;
  readonly code: number;
  readonly errmsg?: string;
  readonly keyPattern?: Readonly<Record<string, unknown>>;
}

/** How far a command got. */
export type Answered =
  /** All of it is done and durable. `touched`: documents inserted, matched or deleted. */
  | { readonly fate: "done"; readonly done: number; readonly touched: number }
  /** The first `done` statements are durable, the next one met a document that is already there, those behind it were not tried. */
  | { readonly fate: "duplicate"; readonly done: number; readonly index: string }
  /** The first `done` statements are durable; what became of the next one says `fate`; those behind it were not tried, or share it. */
  | { readonly fate: Fate; readonly done: number; readonly fault: StoreFault };

/** `count`: the statements of the command. */
export function readReply(reply: Reply, count: number, place: MongoPlace): Answered {
  const { writeConcernError, writeErrors = [], n = 0 } = reply;
  if (writeConcernError) {
    const { errmsg = "no majority has it" } = writeConcernError;
    return { fate: "unknown", done: 0, fault: unconfirmed(place, errmsg) };
  }
  const [error] = writeErrors;
  if (!error) return { fate: "done", done: count, touched: n };
  if (error.code === CODE.duplicateKey) return { fate: "duplicate", done: error.index, index: indexOf(error) };
  const raised = { name: "MongoServerError", code: error.code, message: error.errmsg ?? `error ${error.code}` };
  const fate = fateOf(raised);
  // Too large is this statement alone: of a command as a whole the server says it in another way.
  return { fate: fate === "oversized" ? "refused" : fate, done: error.index, fault: faultOf(raised, place) };
}

function unconfirmed(place: MongoPlace, why: string): StoreFault {
  const problem = `${place.shown} took a write that its replica set does not confirm (${place.hide(why)})`;
  return new StoreFault("unreachable", problem, "see that a majority of the replica set is up and has a journal");
}

/** The index that a duplicate met, by its fields: "_id" or "owner,id". Older servers say it only in their text. */
function indexOf({ keyPattern, errmsg = "" }: WriteError): string {
  if (keyPattern) return Object.keys(keyPattern).join(",");
  return /index: (\S+) dup key/.exec(errmsg)?.[1] === "_id_" ? "_id" : "";
}
