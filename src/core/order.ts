// Messages of one sender to one account stay in the order in which they were sent, also where some of them are written late (engineering 3)
// or handed on from a session that has ended (rulings 9): whatever is written, what came before it is written first; and while it is
// open what becomes of one of them, later ones wait for their turn. Where nothing is late this costs a look at an empty map.
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";
import type { Account } from "./account.js";
import { Deferred, type Keeper } from "./deferred.js";
import type { Append, Flow } from "./flow.js";
import { Line, type Turn } from "./line.js";

interface Pair {
  /** Entries that are neither written nor being written, in the order of their messages. */
  readonly unwritten: Set<Deferred>;
  /** Messages that wait, while it is open what becomes of one before them. */
  line: Line | undefined;
}

export class Order {
  readonly #keeper: Keeper;
  /** Only those with something under way. */
  readonly #pairs = new Map<string, Pair>();

  constructor(keeper: Keeper) {
    this.#keeper = keeper;
  }

  /** Pairs of sender and account with something under way. */
  get size(): number {
    return this.#pairs.size;
  }

  /** The message of the flow has this entry: a deferred one waits behind those before it; any other is written behind them, in one unit. */
  enter(flow: Flow, entry: Append, account: Account): void {
    const { from } = flow.stanza;
    if (entry instanceof Deferred) return this.#queue(flow, entry, keyOf(account, from));
    if (this.#pairs.size === 0 || !entry.entry.pending) return;
    for (const earlier of [...(this.#pairs.get(keyOf(account, from))?.unwritten ?? [])])
      earlier.writeWith(flow, entry, this.#keeper);
  }

  #queue(flow: Flow, entry: Deferred, key: string): void {
    const { unwritten } = this.#pair(key);
    entry.lineUp(unwritten, () => this.#tidy(key));
    flow.whenOver((failure) => {
      if (failure) entry.arrived(this.#keeper); // its message was refused: nobody is to have it
    });
  }

  /** Acts now, or once it is known what becomes of the messages before it. */
  inTurn(account: Account, stanza: Stanza, act: () => void): void {
    const line = this.#pairs.size === 0 ? undefined : this.#pairs.get(keyOf(account, stanza.from))?.line;
    if (line) line.reserve().take(act);
    else act();
  }

  /** What becomes of this message is open: later ones wait until its turn is taken. */
  reserve(account: Account, stanza: Stanza): Turn {
    const key = keyOf(account, stanza.from);
    const pair = this.#pair(key);
    pair.line ??= new Line(() => {
      pair.line = undefined;
      this.#tidy(key);
    });
    return pair.line.reserve();
  }

  #pair(key: string): Pair {
    const known = this.#pairs.get(key);
    if (known) return known;
    const pair: Pair = { unwritten: new Set(), line: undefined };
    this.#pairs.set(key, pair);
    return pair;
  }

  #tidy(key: string): void {
    const pair = this.#pairs.get(key);
    if (pair?.unwritten.size === 0 && !pair.line) this.#pairs.delete(key);
  }
}

function keyOf({ jid }: Account, sender: JID | undefined): string {
  return `${jid.toString()} ${sender?.bare.toString() ?? ""}`;
}
