// The course of a client-first mechanism: each message of the client has one turn, and no turn comes twice.
import { failure, type Mechanism, type SaslStep } from "./mechanism.js";

/** Answers one message of the client. */
export type Turn = (message: Buffer) => Promise<SaslStep>;

const EMPTY = Buffer.alloc(0);

/** A mechanism that is the given turns, in order. */
export class Exchange implements Mechanism {
  readonly name: string;
  #turns: readonly Turn[];

  constructor(name: string, turns: readonly Turn[]) {
    this.name = name;
    this.#turns = turns;
  }

  /** Without an initial response the client is asked for it by an empty challenge (RFC 4422 §3.3). */
  async start(initial?: Buffer): Promise<SaslStep> {
    return initial === undefined ? { challenge: EMPTY } : await this.next(initial);
  }

  async next(response: Buffer): Promise<SaslStep> {
    const [turn, ...rest] = this.#turns;
    this.#turns = rest;
    if (turn === undefined) return failure("malformed-request");
    const step = await turn(response);
    if (!("challenge" in step)) this.#turns = [];
    return step;
  }
}
