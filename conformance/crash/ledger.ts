// What the server has acknowledged, kept outside of its process, and what came of it: the judge of the crash suite.

/** Where a message turned up. */
export type Via = "live" | "offline" | "archive";

/** By what a message was acknowledged: an `<a h/>` that covers it, or the answer to a ping sent after it (order of one session). */
export type Proof = "h" | "order";

export interface Message {
  readonly id: string;
  readonly sender: string;
  readonly recipient: string;
  /** The address it goes to. */
  readonly to: string;
  /** Place among the sender's messages to this recipient, from 1. */
  readonly number: number;
}

/** A message received, or read from an archive. */
export interface Receipt {
  readonly account: string;
  /** The session, or the reading of an archive: within it the order of a sender's messages is judged. */
  readonly session: string;
  readonly via: Via;
  /** `<stanza-id/>` by the account itself. */
  readonly stanzaId: string | undefined;
}

type State = "open" | "acknowledged" | "refused";

interface Page {
  readonly message: Message;
  state: State;
  by: Proof | undefined;
  receipts: number;
  stanzaId: string | undefined;
  /** Sessions of the recipient before it was sent, if there was none at that time: the server had to store it. */
  absentSince: number | undefined;
  /** Nobody had said what became of it when its stream ended: an error says so of the second time alone. */
  wasSentAgain: boolean;
  /** Where nothing is archived: it went to a session that could not tell what it got. */
  excused: boolean;
}

/** Whether an account has a session, as far as the server can know, and how many it has had. */
interface Presence {
  isThere: boolean;
  sessions: number;
}

/** A change of an account's state: what of it, and to which value. */
export interface Change {
  readonly account: string;
  readonly what: string;
  readonly value: string;
  state: State;
}

export interface Tally {
  readonly sent: number;
  readonly acknowledged: number;
  readonly refused: number;
  /** Neither acknowledged nor refused. */
  readonly open: number;
  readonly received: number;
  /** Received more than once; allowed (rulings: at least once), but for archives. */
  readonly again: number;
  readonly lost: readonly string[];
  /** Lost on the last metres to a session without XEP-0198, with no archive to look it up: drained is all that can be asked then. */
  readonly excused: number;
  /** Messages of one sender to one address that came in another order; without an archive but for those that were excused before. */
  readonly disorder: readonly string[];
  /** Messages whose copies bear different ids of the archive. */
  readonly renamed: readonly string[];
  /** Acknowledged by order, and refused afterwards. */
  readonly takenBack: readonly string[];
  readonly changes: number;
  readonly lostChanges: readonly string[];
  /** Whatever else must not be. */
  readonly problems: readonly string[];
}

const MAX_PROBLEMS = 50; // the rest is a number

export class Ledger {
  readonly #pages = new Map<string, Page>();
  readonly #numbers = new Map<string, number>();
  /** By session: the messages it has had, and the last number of each sender. */
  readonly #seen = new Map<string, Set<string>>();
  readonly #last = new Map<string, number>();
  readonly #changes = new Map<string, Change[]>();
  readonly #observed = new Map<string, string>();
  readonly #problems: string[] = [];
  readonly #forgotten: string[] = [];
  readonly #disorder: { readonly text: string; readonly isExcused: boolean }[] = [];
  readonly #takenBack: string[] = [];
  readonly #renamed: string[] = [];
  readonly #presences = new Map<string, Presence>();
  #again = 0;

  /** The server does not know what it has acknowledged. */
  forgotten(text: string): void {
    this.#forgotten.push(text);
  }

  problem(text: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(text);
  }

  /** A new message, about to be sent. */
  message(sender: string, recipient: string, to = recipient): Message {
    const pair = `${sender}>${recipient}`;
    const number = (this.#numbers.get(pair) ?? 0) + 1;
    this.#numbers.set(pair, number);
    const id = `m.${sender.replace(/@.*/, "")}.${recipient.replace(/@.*/, "")}.${number}`;
    const message: Message = { id, sender, recipient, to, number };
    const page: Page = {
      ...{ message, state: "open", by: undefined, receipts: 0, stanzaId: undefined },
      ...{ absentSince: this.#absentSince(recipient), excused: false, wasSentAgain: false },
    };
    this.#pages.set(id, page);
    return message;
  }

  /** It is sent once more, on another stream. */
  sentAgain(id: string): void {
    const page = this.#pages.get(id);
    if (page) page.wasSentAgain = true;
  }

  /** The account begins to log in. */
  arrives(account: string): void {
    const presence = this.#presenceOf(account);
    presence.isThere = true;
    presence.sessions++;
  }

  /** It has closed its stream, having read all that came; or the server is gone and so are all sessions. */
  leaves(account: string): void {
    this.#presenceOf(account).isThere = false;
  }

  /** Its connection broke, and it has no XEP-0198: what the server had written to the socket may not have been read. */
  cut(account: string): void {
    if (!this.#presenceOf(account).isThere) return;
    for (const page of this.#pages.values())
      if (page.message.recipient === account && page.receipts === 0) page.excused = true;
  }

  acknowledged(id: string, by: Proof): void {
    const page = this.#pages.get(id);
    if (page?.state !== "open") return; // refused, or sent again after it was lost on the way
    page.state = "acknowledged";
    page.by = by;
    const wasStored = page.absentSince !== undefined && page.absentSince === this.#absentSince(page.message.recipient);
    if (by === "order" && !wasStored) page.excused = true; // it may only have been handed to a session
  }

  /** An error came back for it. One that comes after the acknowledgement of the order is a broken promise. */
  refused(id: string, condition: string): void {
    const page = this.#pages.get(id);
    if (!page) return;
    if (page.state === "acknowledged" && page.by === "order")
      this.#takenBack.push(`${id}: acknowledged, then ${condition}`);
    page.state = "refused";
  }

  received(id: string, receipt: Receipt): void {
    const page = this.#pages.get(id);
    if (!page) return this.problem(`${receipt.account} has ${id}, which nobody sent`);
    const { message } = page;
    if (receipt.account !== message.recipient) {
      if (receipt.via !== "archive") this.problem(`${id} went to ${receipt.account}`);
    } else {
      if (page.receipts++ > 0 && receipt.via !== "archive") this.#again++;
      this.#compareIds(page, receipt);
    }
    if (receipt.via === "archive" || isToAccount(message)) this.#inOrder(message, receipt.session);
    if (receipt.via !== "archive" && isToAccount(message)) this.#inOrder(message, `all of ${receipt.account}`);
  }

  /** A change is about to be asked for. */
  change(account: string, what: string, value: string): Change {
    const change: Change = { account, what, value, state: "open" };
    const place = `${account} ${what}`;
    const changes = this.#changes.get(place);
    if (changes) changes.push(change);
    else this.#changes.set(place, [change]);
    return change;
  }

  /** What a change has set, and where it can be read. */
  changed(): readonly Pick<Change, "account" | "what">[] {
    return [...this.#changes.values()].flatMap(([first]) => (first ? [first] : []));
  }

  /** The value read at the end; the empty text if there is none. */
  observed(account: string, what: string, value: string): void {
    this.#observed.set(`${account} ${what}`, value);
  }

  /** Archives: more than one entry for a message. */
  doubled(account: string, id: string, entries: number): void {
    this.problem(`${id} is ${entries} times in the log of ${account}`);
  }

  /** `isArchived`: the server has archives, so that nothing is excused. */
  tally(isArchived: boolean): Tally {
    const pages = [...this.#pages.values()];
    const inState = (state: State): number => pages.filter((page) => page.state === state).length;
    for (const { state, receipts, message, wasSentAgain } of pages)
      if (state === "refused" && receipts > 0 && !wasSentAgain)
        this.problem(`${message.id} was refused, and delivered`);
    const missing = pages.filter(({ state, receipts }) => state === "acknowledged" && receipts === 0);
    const lost = missing.filter(({ excused }) => isArchived || !excused);
    const changes = [...this.#changes.values()];
    return {
      sent: pages.length,
      acknowledged: inState("acknowledged"),
      refused: inState("refused"),
      open: inState("open"),
      received: pages.filter(({ receipts }) => receipts > 0).length,
      again: this.#again,
      lost: [
        ...lost.map(({ message, by }) => `${message.id} (acknowledged by ${by ?? "nothing"})`),
        ...this.#forgotten,
      ],
      disorder: this.#disorder.filter(({ isExcused }) => isArchived || !isExcused).map(({ text }) => text),
      takenBack: this.#takenBack,
      renamed: this.#renamed,
      excused: missing.length - lost.length,
      changes: changes.flat().filter(({ state }) => state === "acknowledged").length,
      lostChanges: changes.flatMap((list) => this.#lostOf(list)),
      problems: [...this.#problems],
    };
  }

  #presenceOf(account: string): Presence {
    const presence = this.#presences.get(account) ?? { isThere: false, sessions: 0 };
    this.#presences.set(account, presence);
    return presence;
  }

  /** How many sessions it has had; undefined while it has one. */
  #absentSince(account: string): number | undefined {
    const { isThere, sessions } = this.#presenceOf(account);
    return isThere ? undefined : sessions;
  }

  /** All copies of one message bear the same id. */
  #compareIds(page: Page, { stanzaId, session }: Receipt): void {
    if (stanzaId === undefined) return;
    page.stanzaId ??= stanzaId;
    if (page.stanzaId !== stanzaId)
      this.#renamed.push(`${page.message.id} has stanza-id ${page.stanzaId}, and ${stanzaId} in ${session}`);
  }

  /** First receipts rise; what a session has had before may come again. */
  #inOrder({ id, number, sender, recipient }: Message, session: string): void {
    const seen = this.#seen.get(session) ?? new Set();
    this.#seen.set(session, seen);
    if (seen.has(id)) return;
    seen.add(id);
    const page = this.#pages.get(id);
    if (page?.state === "refused" && page.wasSentAgain) return; // when it was first sent, the store had it and did not say so
    const key = `${session} ${sender}>${recipient}`;
    const last = this.#last.get(key) ?? 0;
    // An excused one was lost with its connection, as far as anybody but its sender can know, who has sent it again behind the others; one
    // that had arrived before, and was sent again because its sender had not heard so, comes behind what waited meanwhile.
    const isCopy = page?.wasSentAgain === true && page.receipts > 1;
    const isExcused = page?.excused === true || isCopy;
    if (number < last) this.#disorder.push({ text: `${id} came after number ${last} (${session})`, isExcused });
    this.#last.set(key, Math.max(last, number));
  }

  /** The value is the one acknowledged last, or one that was asked for after it and never answered. */
  #lostOf(changes: readonly Change[]): readonly string[] {
    const [first] = changes;
    const value = first && this.#observed.get(`${first.account} ${first.what}`);
    if (!first || value === undefined) return [];
    const made = changes.filter(({ state }) => state !== "refused");
    const last = made.findLastIndex(({ state }) => state === "acknowledged");
    const possible = made.slice(Math.max(0, last)).map((change) => change.value);
    if (possible.includes(value) || (last < 0 && value === "")) return [];
    return [`${first.account} ${first.what}: "${value}", acknowledged was "${made[last]?.value ?? ""}"`];
  }
}

/** To the bare JID. One to a resource may reach it when it is bound and not yet available: before the stored ones (RFC 6121 §8.5.3.1). */
function isToAccount({ to, recipient }: Message): boolean {
  return to === recipient;
}
