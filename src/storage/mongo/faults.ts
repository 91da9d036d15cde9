// What the errors of MongoDB and its driver mean: to an operator (a kind, one line, what to do), and to a write (was it done?).
// Errors are never handed on as a `cause`: those of bulk writes carry the written documents, which have no place in a log.
import { codeOf, reasonOf } from "../../core/reason.js";
import { StoreFault } from "../port.js";
import type { MongoPlace } from "./place.js";

/**
 * What is certain about a command that failed.
 * - `unsent`: it never left this process, and neither will the next one soon;
 * - `refused`: the server has not done it and will not;
 * - `oversized`: one of its documents is too large, none was written;
 * - `unknown`: done, half done or not.
 */
export type Fate = "unsent" | "refused" | "oversized" | "unknown";

/** Numbers that MongoDB gives its errors (its error_codes.yml). */
export const CODE = {
  unauthorized: 13,
  authenticationFailed: 18,
  maxTimeExpired: 50,
  writeConcernFailed: 64,
  shutdownInProgress: 91,
  primarySteppedDown: 189,
  exceededTimeLimit: 262,
  atlasError: 8000,
  notWritablePrimary: 10_107,
  bsonObjectTooLarge: 10_334,
  duplicateKey: 11_000,
  interruptedAtShutdown: 11_600,
  interrupted: 11_601,
  interruptedByReplicaSet: 11_602,
  notPrimary: 13_435,
  notPrimaryOrSecondary: 13_436,
  outOfDiskSpace: 14_031,
} as const;

/** Codes after which the same command may work in a moment: time-outs, elections, a server that is going down. */
const PASSING: ReadonlySet<number> = new Set([
  CODE.maxTimeExpired,
  CODE.writeConcernFailed,
  CODE.shutdownInProgress,
  CODE.primarySteppedDown,
  CODE.exceededTimeLimit,
  CODE.notWritablePrimary,
  CODE.interruptedAtShutdown,
  CODE.interrupted,
  CODE.interruptedByReplicaSet,
  CODE.notPrimary,
  CODE.notPrimaryOrSecondary,
]);

const DENIED: ReadonlySet<number> = new Set([CODE.unauthorized, CODE.authenticationFailed, CODE.atlasError]);

/**
 * Errors of the driver that come before a command is sent: no server to be had, no connection, closed. "MongoPoolClearedError" is none:
 * commands that were under way when the driver gave a server up bear the same name.
 */
const BEFORE_SENDING: ReadonlySet<string> = new Set([
  "MongoServerSelectionError",
  "MongoWaitQueueTimeoutError",
  "MongoPoolClosedError",
  "MongoServerClosedError",
  "MongoNotConnectedError",
  "MongoClientClosedError",
  "MongoTopologyClosedError",
]);

/** What became of a command that was answered by this error. */
export function fateOf(error: unknown): Fate {
  const name = nameOf(error);
  if (BEFORE_SENDING.has(name) || isConnecting(error)) return "unsent";
  if (name === "RangeError" || name === "MongoInvalidArgumentError" || name.startsWith("BSON")) return "oversized";
  if (name !== "MongoServerError") return "unknown"; // the network, a time-out, or an answer that nobody understands
  const code = numberOf(error);
  if (code === CODE.bsonObjectTooLarge) return "oversized";
  return code === undefined || PASSING.has(code) ? "unknown" : "refused";
}

/** The fault behind an error met with the database; a StoreFault stays itself. */
export function faultOf(error: unknown, place: MongoPlace): StoreFault {
  if (error instanceof StoreFault) return error;
  const why = place.hide(reasonOf(error));
  const name = nameOf(error);
  const code = numberOf(error);
  if (name === "MongoClientClosedError" || name === "MongoTopologyClosedError" || name === "MongoNotConnectedError")
    return closedFault();
  if (code !== undefined && DENIED.has(code)) return deniedFault(place, why);
  if (code === CODE.outOfDiskSpace)
    return new StoreFault("full", `${place.shown}: no space left (${why})`, "free some space on the database's disk");
  if (/Network|PoolCleared/.test(name) || BEFORE_SENDING.has(name) || (code !== undefined && PASSING.has(code)))
    return unreachableFault(place, why);
  return new StoreFault("failed", `${place.shown}: ${why}`, "look into the log of the database");
}

/** The server of storage.url does not answer, or cannot write at present. */
export function unreachableFault(place: MongoPlace, why: string): StoreFault {
  const mend = "start the database or its replica set, or correct storage.url";
  return new StoreFault("unreachable", `storage.url: no answer from ${place.shown} (${why})`, mend);
}

export function closedFault(): StoreFault {
  return new StoreFault("closed", "the store is closed", "open it again");
}

function deniedFault(place: MongoPlace, why: string): StoreFault {
  const mend = 'give a user with the role "readWrite" on it, and authSource if the user is of another database';
  return new StoreFault("unreadable", `storage.url: ${place.shown} lets this server not in (${why})`, mend);
}

/** Only texts that cannot hold a part of the URL are repeated. */
export function badUrlFault(error: unknown, place: MongoPlace): StoreFault {
  const why = reasonOf(error);
  const known = /^options? [\w, ]+ (?:is|are) not supported$/.test(why) ? `: ${why}` : "";
  const mend = "percent-encode special characters in the user name and the password";
  return new StoreFault(
    "unreadable",
    `storage.url is no URL that MongoDB's driver takes (${place.shown})${known}`,
    mend,
  );
}

export function newerFault(place: MongoPlace, found: number, known: number): StoreFault {
  return new StoreFault(
    "newer",
    `${place.shown} was written by a newer version (schema ${found}, this version knows up to ${known})`,
    "start the version that wrote it, or put back a backup from before the upgrade",
  );
}

export function foreignFault(place: MongoPlace, collection: string): StoreFault {
  return new StoreFault(
    "foreign",
    `${place.shown} is not a database of this server: its collection "${collection}" comes from something else`,
    "name another database in storage.url",
  );
}

/** The name of the driver's class; its classes are not compared, because tests and bundles may have others. */
export function nameOf(error: unknown): string {
  const name: unknown = typeof error === "object" && error !== null && "name" in error ? error.name : undefined;
  return typeof name === "string" ? name : "";
}

export function numberOf(error: unknown): number | undefined {
  const code: unknown = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "number" ? code : undefined;
}

/** A connection that could not be made: nothing was sent over it. */
function isConnecting(error: unknown): boolean {
  if (nameOf(error) !== "MongoNetworkError") return false;
  const { cause, beforeHandshake } = error as { readonly cause?: unknown; readonly beforeHandshake?: unknown };
  return beforeHandshake === true || ["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH"].includes(codeOf(cause));
}
