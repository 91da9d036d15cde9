// The connection to the database: how the driver is set up, and the one way in which writes are sent and their answers read.
import { MongoClient } from "mongodb";
import type { Collection, Db, Document } from "mongodb";
import type { StoreFault } from "../port.js";
import { badUrlFault, closedFault, fateOf, faultOf } from "./faults.js";
import { MongoPlace } from "./place.js";
import { type Answered, readReply, type Reply } from "./reply.js";

/** How long the database may take, in ms. */
export interface Patience {
  /** To be found: a primary that takes connections. Then a command counts as not sent. */
  readonly selectMs: number;
  /** To answer a command, on its side and on the wire. Then the command's outcome is unknown. */
  readonly answerMs: number;
}

/** An election of a replica set takes 10 s at most; a commit that met one is sent again by the core. */
export const PATIENCE: Patience = { selectMs: 5000, answerMs: 10_000 };

/** The server gives a command up before this process does, so that none is carried out after its outcome was called unknown. */
const AHEAD_MS = 1000;

/** A write command: https://www.mongodb.com/docs/manual/reference/command/nav-crud/ */
export interface WriteCommand {
  readonly collection: string;
  readonly verb: "insert" | "update" | "delete";
  readonly statements: readonly Document[];
}

const FIELD = { insert: "documents", update: "updates", delete: "deletes" } as const;

export class Link {
  readonly place: MongoPlace;
  readonly #client: MongoClient;
  readonly #db: Db;
  readonly #maxTimeMS: number;
  #closed = false;

  private constructor(place: MongoPlace, client: MongoClient, patience: Patience) {
    this.place = place;
    this.#client = client;
    this.#db = client.db();
    this.#maxTimeMS = Math.max(1, patience.answerMs - AHEAD_MS);
  }

  /** Connects. Rejects with a StoreFault if no server can be had within `selectMs`. */
  static async open(url: string, patience: Patience = PATIENCE): Promise<Link> {
    const place = new MongoPlace(url);
    const client = clientFor(url, place, patience);
    try {
      await client.connect();
    } catch (error) {
      await client.close();
      throw faultOf(error, place);
    }
    return new Link(place, client, patience);
  }

  collection<T extends Document>(name: string): Collection<T> {
    return this.#db.collection<T>(name);
  }

  /** What to give every reading call along. */
  get bounds(): { readonly maxTimeMS: number } {
    return { maxTimeMS: this.#maxTimeMS };
  }

  /** The time of day there, in ms since 1970: the one clock that all who write to it share. */
  async time(): Promise<number> {
    const { localTime } = await this.#db.admin().command({ hello: 1, ...this.bounds });
    const now = Number(localTime); // a Date
    if (!Number.isSafeInteger(now)) throw new Error("the database does not tell the time");
    return now;
  }

  /** Asks the database; what it answers by an error becomes a StoreFault. */
  async ask<T>(question: (link: this) => Promise<T>): Promise<T> {
    if (this.#closed) throw closedFault();
    try {
      return await question(this);
    } catch (error) {
      throw this.#fault(error);
    }
  }

  /** Sends an ordered write command: done in the order of its statements up to the first that fails, durable on a majority. */
  async send({ collection, verb, statements }: WriteCommand): Promise<Answered> {
    if (this.#closed) return { fate: "unsent", done: 0, fault: closedFault() };
    const command = {
      [verb]: collection,
      [FIELD[verb]]: statements,
      ordered: true,
      writeConcern: { w: "majority", j: true, wtimeout: this.#maxTimeMS },
      maxTimeMS: this.#maxTimeMS,
    };
    try {
      const reply = (await this.#db.command(command)) as Reply;
      return readReply(reply, statements.length, this.place);
    } catch (error) {
      return { fate: fateOf(error), done: 0, fault: this.#fault(error) };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client.close();
  }

  #fault(error: unknown): StoreFault {
    return this.#closed ? closedFault() : faultOf(error, this.place);
  }
}

function clientFor(url: string, place: MongoPlace, { selectMs, answerMs }: Patience): MongoClient {
  try {
    return new MongoClient(url, {
      appName: "rookery",
      readPreference: "primary",
      readConcern: { level: "majority" }, // nothing is read that an election could take back
      writeConcern: { w: "majority", journal: true, wtimeoutMS: answerMs },
      // The driver's own second try would hide what became of the first one when no server can be found for it.
      retryWrites: false,
      serverSelectionTimeoutMS: selectMs,
      connectTimeoutMS: selectMs,
      waitQueueTimeoutMS: selectMs,
      socketTimeoutMS: answerMs,
      heartbeatFrequencyMS: Math.min(10_000, Math.max(500, selectMs)),
      promoteBuffers: true,
    });
  } catch (error) {
    throw badUrlFault(error, place);
  }
}
