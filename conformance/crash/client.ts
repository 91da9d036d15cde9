// One account of the load on the runner's client stream: logs in or resumes, sends, notes in the ledger what was acknowledged and what
// arrived. Whatever it has sent and not heard of is sent again after the next login, with its origin-id, as clients do.
import { bind } from "../runner/login.js";
import { type Address, type ClientStream, offers } from "../runner/stream.js";
import { child, type Tree } from "../runner/xml.js";
import { type Acknowledging, ByManagement, ByOrder, NS_SM, type Outgoing, WrongCount } from "./acknowledgement.js";
import type { Change, Ledger } from "./ledger.js";
import { logIn, STEP_MS } from "./login.js";

export const RESOURCE = "crash";
const DOMAIN = "localhost";
const NS_STANZA_ID = "urn:xmpp:sid:0";
const NS_DELAY = "urn:xmpp:delay";
const IDLE_MS = 600_000;
/** For what must come in any case: a server that says nothing for so long has failed. */
const WAIT_MS = 120_000;

export type Login = "new" | "resumed" | "not resumed";

export class Client {
  readonly user: string;
  readonly bare: string;
  readonly #ledger: Ledger;
  readonly #wantsManagement: boolean;
  #stream: ClientStream | undefined;
  #acks: Acknowledging = new ByOrder();
  #logins = 0;
  #ids = 0;
  #wasClosedInOrder = false;
  /** Refused by the server: not sent again. */
  readonly #refused = new Set<string>();
  readonly #answers = new Map<string, (answer: Tree | undefined) => void>();
  #moved: (() => void)[] = [];
  /** Called for each message that arrives, for those who need to see more than the ledger. */
  watch: (message: Tree) => void = () => undefined;

  constructor(user: string, ledger: Ledger, wantsManagement: boolean) {
    this.user = user;
    this.bare = `${user}@${DOMAIN}`;
    this.#ledger = ledger;
    this.#wantsManagement = wantsManagement;
  }

  get isOpen(): boolean {
    return this.#stream?.isOpen ?? false;
  }

  /** The session is one of XEP-0198 that can be resumed. */
  get isResumable(): boolean {
    return this.#acks instanceof ByManagement && this.#acks.id !== undefined;
  }

  /** Sent and not acknowledged. */
  get outstanding(): number {
    return this.#acks.open.length;
  }

  /** Resumes the last session if it can be, else binds anew and sends presence. Throws when the connection breaks on the way. */
  async connect(address: Address): Promise<Login> {
    this.#ledger.arrives(this.bare);
    const { stream, features } = await logIn(address, this.user);
    const isManaged = this.#wantsManagement && offers(features, "sm", NS_SM);
    const wasResumable = this.isResumable;
    if (isManaged && this.#acks instanceof ByManagement && this.#acks.id !== undefined)
      if (await this.#resume(stream, this.#acks)) return "resumed";
    await this.#begin(stream, isManaged);
    return wasResumable ? "not resumed" : "new";
  }

  /** A message, noted in the ledger. */
  say(recipient: string, form: "bare" | "full" | "normal", size: number): void {
    const to = form === "full" ? `${recipient}/${RESOURCE}` : recipient;
    const { id } = this.#ledger.message(this.bare, recipient, to);
    const type = form === "normal" ? "" : " type='chat'";
    const body = `${id} ${"añ世 ".repeat(size)}`;
    const origin = `<origin-id xmlns='${NS_STANZA_ID}' id='${id}'/>`;
    this.#send({ xml: `<message to='${to}'${type} id='${id}'><body>${body}</body>${origin}</message>`, message: id });
  }

  /** A change of state; it is acknowledged by its answer, or, for presence, by what acknowledges a message. */
  change(change: Change, xml: (id: string) => string): void {
    const id = this.#newId();
    this.#answers.set(id, (answer) => answerChange(change, answer)); // presence is answered when it is refused
    this.#send({ xml: xml(id), done: () => acknowledge(change) });
  }

  /** An IQ whose answer matters; undefined when the connection ends before. */
  ask(xml: (id: string) => string): Promise<Tree | undefined> {
    const id = this.#newId();
    const answer = new Promise<Tree | undefined>((resolve) => {
      if (!this.isOpen) return resolve(undefined);
      this.#answers.set(id, resolve);
      this.#send({ xml: xml(id) });
    });
    return this.#inTime(answer, "an answer");
  }

  /** Anything else, whose fate is seen elsewhere. */
  send(xml: string): void {
    this.#send({ xml });
  }

  /** Asks the server how far it is. */
  request(): void {
    this.#stream?.send(this.#acks.request());
  }

  /** Resolves when fewer than so many stanzas are open, or the connection has ended; asks the server until then. */
  async room(limit: number): Promise<void> {
    while (this.isOpen && this.outstanding >= limit) {
      this.request();
      await this.#move("an acknowledgement");
    }
  }

  /** Something has been acknowledged, or the connection has ended: in the end by us, so that nobody waits for ever. */
  async #move(what: string): Promise<void> {
    const moved = new Promise<true>((resolve) => this.#moved.push(() => resolve(true)));
    await this.#inTime(moved, what);
  }

  /** What comes in time; else a mistake is noted and the connection broken. */
  async #inTime<T>(answer: Promise<T>, what: string): Promise<T | undefined> {
    const stream = this.#stream;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, WAIT_MS, undefined)));
    const got = await Promise.race([answer, late]);
    clearTimeout(timer);
    if (got !== undefined || !this.isOpen || stream !== this.#stream) return got;
    this.#ledger.problem(`${this.bare} waited in vain for ${what}`);
    stream?.destroy();
    return undefined;
  }

  /** Tells the server what has been received, and learns that it knows. False without XEP-0198, or when the connection ends before. */
  async settled(): Promise<boolean> {
    await this.room(1);
    if (!(this.#acks instanceof ByManagement) || !this.isOpen) return false;
    this.#stream?.send(this.#acks.answer);
    this.request();
    await this.#move("an acknowledgement");
    return this.isOpen;
  }

  /** All that was stored or sent for this session has arrived: a message to oneself comes behind it. */
  async caughtUp(): Promise<boolean> {
    const id = this.#newId();
    const to = `${this.bare}/${RESOURCE}`;
    const xml = `<message to='${to}' type='headline' id='${id}'><body>${id}</body></message>`;
    const arrived = new Promise<boolean>((resolve) => {
      if (!this.isOpen) return resolve(false);
      this.#answers.set(id, (answer) => resolve(answer !== undefined));
    });
    this.#send({ xml });
    return (await this.#inTime(arrived, "a message to itself")) ?? false;
  }

  /** Closes the stream, reading all that comes until the server has closed it, too. */
  async leave(): Promise<void> {
    if (!this.isOpen) return;
    if (this.#acks instanceof ByManagement && this.#acks.enabled) this.#stream?.send(this.#acks.answer);
    if (this.#acks instanceof ByManagement) this.#acks.id = undefined;
    this.#stream?.send("</stream:stream>");
    await this.#inTime(
      this.closed().then(() => true),
      "the end of its stream",
    );
    if (this.#wasClosedInOrder) this.#ledger.leaves(this.bare);
  }

  /** The server's process is gone. */
  cutOff(): void {
    if (!(this.#acks instanceof ByManagement)) this.#ledger.cut(this.bare);
    this.#ledger.leaves(this.bare);
  }

  /** Breaks the connection without a word. */
  async drop(): Promise<void> {
    this.#stream?.destroy();
    await this.closed();
  }

  async closed(): Promise<void> {
    while (this.isOpen) await new Promise<void>((resolve) => this.#moved.push(resolve));
  }

  async #resume(stream: ClientStream, acks: ByManagement): Promise<boolean> {
    stream.send(`<resume xmlns='${NS_SM}' previd='${acks.id ?? ""}' h='${acks.handled}'/>`);
    const answer = await stream.nextElement(STEP_MS);
    this.#acknowledge(answer);
    if (answer.name !== "resumed" || answer.ns !== NS_SM) return false;
    this.#stream = stream;
    for (const { xml, message } of acks.open) {
      if (message !== undefined) this.#ledger.sentAgain(message);
      stream.send(xml); // XEP-0198 §5: what is still unhandled
    }
    this.#wasClosedInOrder = false;
    void this.#read(stream);
    return true;
  }

  async #begin(stream: ClientStream, isManaged: boolean): Promise<void> {
    const again = this.#acks.open.flatMap((one) => (one.message !== undefined ? [one] : []));
    await bind(stream, RESOURCE, STEP_MS);
    this.#logins++;
    this.#stream = stream;
    this.#wasClosedInOrder = false;
    this.#acks = isManaged ? new ByManagement() : new ByOrder();
    if (isManaged) stream.send(`<enable xmlns='${NS_SM}' resume='true'/>`);
    void this.#read(stream);
    this.#send({ xml: "<presence/>" });
    for (const one of again) if (!this.#refused.has(one.message ?? "")) this.#sendAgain(one, isManaged);
  }

  #send(stanza: Outgoing): void {
    if (!this.isOpen && stanza.message === undefined) return;
    this.#acks.sent(stanza);
    this.#stream?.send(stanza.xml);
  }

  #sendAgain(stanza: Outgoing, withDelay: boolean): void {
    this.#ledger.sentAgain(stanza.message ?? "");
    this.#send(sentAgain(stanza, withDelay));
  }

  async #read(stream: ClientStream): Promise<void> {
    try {
      for (;;) {
        const arrival = await stream.next(IDLE_MS);
        stream.forgetTranscript();
        if (arrival.kind === "element") this.#arrived(arrival.tree);
        else if (arrival.kind === "fault") this.#ledger.problem(`${this.bare} was sent no XML: ${arrival.message}`);
        else if (arrival.kind === "end") this.#ended(stream);
        else if (arrival.kind === "closed") break;
      }
    } catch (error) {
      this.#ledger.problem(`${this.bare}: ${String(error)}`);
      stream.destroy();
    }
    for (const answer of [...this.#answers.values()]) answer(undefined);
    this.#answers.clear();
    this.#wake();
  }

  #ended(stream: ClientStream): void {
    this.#wasClosedInOrder = true;
    stream.end();
  }

  #arrived(tree: Tree): void {
    if (tree.ns === "jabber:client" && this.#acks instanceof ByManagement) this.#acks.counted();
    if (tree.ns === NS_SM) this.#managed(tree);
    this.#acknowledge(tree);
    if (tree.name === "message") this.#message(tree);
    if (tree.name === "iq") this.#iq(tree);
    if (tree.name === "presence" && tree.attributes.get("type") === "error") this.#answered(tree);
  }

  #managed({ name, attributes }: Tree): void {
    if (!(this.#acks instanceof ByManagement)) return;
    if (name === "r") this.#stream?.send(this.#acks.answer);
    if (name !== "enabled") return;
    this.#acks.enabled = true;
    this.#acks.id = /^(true|1)$/.test(attributes.get("resume") ?? "") ? attributes.get("id") : undefined;
  }

  #acknowledge(tree: Tree): void {
    try {
      const done = this.#acks.take(tree);
      if (!done) return;
      for (const stanza of done) {
        if (stanza.message !== undefined) this.#ledger.acknowledged(stanza.message, this.#acks.proof);
        stanza.done?.();
      }
      this.#wake();
    } catch (error) {
      if (!(error instanceof WrongCount)) throw error;
      this.#ledger.forgotten(`${this.bare}: ${error.message}`);
      if (this.#acks instanceof ByManagement) this.#acks.id = undefined; // its numbers are worth nothing any more
      this.#stream?.destroy();
    }
  }

  #message(tree: Tree): void {
    const id = tree.attributes.get("id") ?? "";
    if (tree.attributes.get("type") === "error") return this.#error(id, tree);
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (answer) return answer(tree);
    this.watch(tree);
    if (!id.startsWith("m.")) return;
    const delay = child(tree, "delay", NS_DELAY);
    const isStored = delay !== undefined && delay.attributes.get("from") === DOMAIN;
    const session = `${this.bare} login ${this.#logins}`;
    const stanzaId = stanzaIdOf(tree, this.bare);
    this.#ledger.received(id, { account: this.bare, session, via: isStored ? "offline" : "live", stanzaId });
  }

  #error(id: string, tree: Tree): void {
    const error = child(tree, "error");
    const condition = error?.children.find((part) => typeof part !== "string");
    this.#refused.add(id);
    this.#ledger.refused(id, typeof condition === "object" ? condition.name : "an error");
  }

  #iq(tree: Tree): void {
    const id = tree.attributes.get("id") ?? "";
    const type = tree.attributes.get("type");
    if (type === "set" || type === "get") {
      const from = tree.attributes.get("from");
      return this.#send({ xml: `<iq type='result' id='${id}'${from === undefined ? "" : ` to='${from}'`}/>` });
    }
    this.#answered(tree);
  }

  #answered(tree: Tree): void {
    const id = tree.attributes.get("id") ?? "";
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    answer?.(tree);
  }

  #newId(): string {
    return `q-${++this.#ids}`;
  }

  #wake(): void {
    for (const resolve of this.#moved.splice(0)) resolve();
  }
}

/** By the account, or the room, itself (XEP-0359). */
export function stanzaIdOf(message: Tree, bare: string): string | undefined {
  const own = message.children.find(
    (part) => typeof part !== "string" && part.name === "stanza-id" && part.attributes.get("by") === bare,
  );
  return typeof own === "object" ? own.attributes.get("id") : undefined;
}

/** XEP-0198 §4: a client should say when it was first sent. The other clients do not, so that both are tried. */
function sentAgain(stanza: Outgoing, withDelay: boolean): Outgoing {
  if (!withDelay || stanza.xml.includes(NS_DELAY)) return stanza;
  const delay = `<delay xmlns='${NS_DELAY}' stamp='${new Date().toISOString()}'/>`;
  return { ...stanza, xml: stanza.xml.replace(/<\/message>$/, `${delay}</message>`) };
}

function answerChange(change: Change, answer: Tree | undefined): void {
  if (answer === undefined) return; // nobody knows
  if (answer.attributes.get("type") === "result") acknowledge(change);
  else if (change.state === "open") change.state = "refused";
}

/** What was refused still counts as handled (rulings 7). */
function acknowledge(change: Change): void {
  if (change.state === "open") change.state = "acknowledged";
}
