// Plays one scene: fresh accounts, one client per member of the cast, the steps in order. A step that fails throws Failure.
import { Expectations } from "./expectations.js";
import { authenticate, bind } from "./login.js";
import { gather } from "./rooms.js";
import { match } from "./notation/pattern.js";
import type { Member, Pattern, Scene, Step } from "./notation/scene.js";
import { asBytes, fill, fresh, TemplateError } from "./notation/template.js";
import type { RunningServer } from "../servers/server.js";
import { ClientStream, describeArrival, negotiateTls, openStream, type Arrival } from "./stream.js";
import { befriend } from "./subscriptions.js";
import { accented, dressed, stampOf } from "./wardrobe.js";
import { escapeXml } from "./xml.js";

/** How a scene is played. */
export interface Play {
  readonly server: RunningServer;
  /** The longest wait for one step, in milliseconds. */
  readonly limitMs: number;
  /** Names, resources and bodies hold letters from far away. */
  readonly nonAscii: boolean;
  /** The loopback address of this scene's clients, so that no scene feels the limits another has used up. */
  readonly localAddress: string | undefined;
}

/** A step that did not go as written. */
export class Failure extends Error {
  constructor(
    readonly step: Step,
    what: string,
    readonly transcript: readonly string[],
    options?: ErrorOptions,
  ) {
    super(what, options);
  }
}

const PASSWORD = "correct horse";
const BY_THEMSELVES = new Set(["connects", "comesOnline", "given"]);

export class Stage {
  readonly #scene: Scene;
  readonly #play: Play;
  readonly #streams = new Map<string, ClientStream>();
  readonly #values = new Map<string, string>();
  readonly #expected: Expectations;
  readonly #online = new Set<string>();
  #pings = 0;

  constructor(scene: Scene, play: Play) {
    this.#scene = scene;
    this.#play = play;
    this.#expected = new Expectations(this.#values, play);
  }

  /** Plays the scene to its end. Throws Failure. */
  async play(): Promise<void> {
    try {
      const [first] = this.#scene.steps;
      if (first) await this.#guard(first, () => this.#prepare());
      for (const step of this.#scene.steps) await this.#guard(step, () => this.#perform(step));
    } finally {
      for (const stream of this.#streams.values()) stream.destroy();
    }
  }

  async #guard(step: Step, deed: () => Promise<void>): Promise<void> {
    try {
      await deed();
    } catch (error) {
      const who = "who" in step ? step.who : undefined;
      const transcript = who === undefined ? [] : (this.#streams.get(who)?.transcript ?? []);
      throw new Failure(step, error instanceof Error ? error.message : String(error), transcript, { cause: error });
    }
  }

  /** Accounts, then what is given, then the members who are there from the beginning. */
  async #prepare(): Promise<void> {
    const stamp = stampOf(fresh(), this.#play.nonAscii);
    this.#values.set("a", this.#play.server.domain);
    this.#values.set("nobody.local", `nobody-${stamp}`);
    this.#values.set("nobody", `nobody-${stamp}@${this.#play.server.domain}`);
    const locals = new Set(this.#scene.cast.flatMap((member) => member.local ?? []));
    for (const local of locals) await this.#play.server.register(`${local}-${stamp}`, PASSWORD);
    for (const member of this.#scene.cast) this.#dress(member, stamp);
    for (const step of this.#scene.steps) if (step.kind === "given") await this.#befriend(step.watcher, step.watched);
    for (const member of this.#scene.cast) if (this.#isThereFirst(member)) await this.#connect(member);
  }

  #dress(member: Member, stamp: string): void {
    if (member.local === undefined) return;
    const local = `${member.local}-${stamp}`;
    const bare = `${local}@${this.#play.server.domain}`;
    const resource =
      member.resource === undefined ? "" : this.#play.nonAscii ? accented(member.resource) : member.resource;
    const parts = {
      "": resource === "" ? bare : `${bare}/${resource}`,
      ".bare": bare,
      ".local": local,
      ".resource": resource,
      ".password": PASSWORD,
    };
    for (const [part, value] of Object.entries(parts)) this.#values.set(member.name + part, value);
  }

  async #befriend(watcher: string, watched: string): Promise<void> {
    const [one, other] = [this.#value(`${watcher}.local`), this.#value(`${watched}.local`)];
    await befriend(this.#play.server, { watcher: one, watched: other, password: PASSWORD }, this.#play.limitMs);
  }

  /** Whoever acts without having connected in the scene is there from the beginning: authenticated and bound, without presence. */
  #isThereFirst(member: Member): boolean {
    const first = this.#scene.steps.find(
      (step) => "who" in step && step.who === member.name && step.kind !== "ignores",
    );
    return member.local !== undefined && first !== undefined && !BY_THEMSELVES.has(first.kind);
  }

  async #connect(member: Member): Promise<void> {
    const { limitMs } = this.#play;
    const stream = this.#newStream(member.name);
    await openStream(stream, "tls", limitMs);
    await authenticate(stream, { username: this.#value(`${member.name}.local`), password: PASSWORD }, "PLAIN", limitMs);
    const resource = this.#value(`${member.name}.resource`);
    const jid = await bind(stream, resource === "" ? undefined : resource, limitMs);
    stream.forgetTranscript();
    this.#values.set(member.name, jid);
    this.#values.set(`${member.name}.resource`, jid.slice(jid.indexOf("/") + 1));
  }

  #newStream(name: string): ClientStream {
    const before = this.#streams.get(name);
    const stream = new ClientStream(this.#play.server, this.#play.localAddress);
    if (before) {
      before.destroy();
      stream.ignores = before.ignores;
    }
    this.#streams.set(name, stream);
    this.#online.delete(name);
    return stream;
  }

  async #perform(step: Step): Promise<void> {
    switch (step.kind) {
      case "given":
        return; // done before the members connected
      case "room":
        return this.#gather(step);
      case "send":
        return this.#stream(step.who).send(dressed(fill(step.pieces, this.#values, escapeXml), this.#play.nonAscii));
      case "bytes":
        return this.#stream(step.who).sendBytes(fill(step.pieces, this.#values, (value) => asBytes(escapeXml(value))));
      case "expect":
        return step.anyOrder
          ? this.#expected.inAnyOrder(this.#stream(step.who), step.patterns)
          : this.#expected.inOrder(this.#stream(step.who), step.patterns);
      case "head":
        return this.#expected.head(this.#stream(step.who), step.pattern);
      case "closes":
        return this.#expected.close(this.#stream(step.who), step.error);
      case "ignores":
        return this.#ignore(step.who, step.patterns);
      case "quiet":
        return this.#expectNothing(step.who);
      case "settles":
        return this.#settle(step.who === undefined ? [...this.#bound()] : [step.who]);
      case "connects":
        return this.#performConnect(step.who, step.way);
      case "opens":
        return this.#performOpen(step.who);
      case "startsTls":
        return negotiateTls(this.#stream(step.who), this.#play.limitMs);
      case "logsIn":
        return this.#performLogin(step.who, step.mechanism);
      case "comesOnline":
        return this.#comeOnline(step.who, fill(step.presence, this.#values, escapeXml));
      case "logsOut":
        return this.#logOut(step.who);
      case "drops":
        return this.#drop(step.who);
    }
  }

  async #performConnect(who: string, way: "tcp" | "tls" | "direct tls"): Promise<void> {
    const member = this.#member(who);
    if (member.local !== undefined) return this.#connect(member);
    const stream = this.#newStream(who);
    if (way === "tls") {
      await openStream(stream, "tcp", this.#play.limitMs);
      await negotiateTls(stream, this.#play.limitMs);
    } else await stream.connect(way === "direct tls");
  }

  async #performOpen(who: string): Promise<void> {
    const stream = this.#stream(who);
    stream.open();
    const head = await stream.next(this.#play.limitMs);
    if (head.kind !== "head") throw new Error(`expected a stream header, arrived: ${describeArrival(head)}`);
  }

  /** Authenticates as the first account of the cast and opens the next stream; binding is left to the scene. */
  async #performLogin(who: string, mechanism: "PLAIN" | "SCRAM-SHA-1"): Promise<void> {
    const account = this.#scene.cast.find((member) => member.local !== undefined);
    if (!account) throw new Error("the cast has no account to log in with");
    const by = { username: this.#value(`${account.name}.local`), password: PASSWORD };
    await authenticate(this.#stream(who), by, mechanism, this.#play.limitMs);
  }

  /** Initial presence, its reflection, and what the account's other resources and this one tell each other. */
  async #comeOnline(who: string, presence: string): Promise<void> {
    if (!this.#streams.get(who)?.isOpen) await this.#connect(this.#member(who));
    const stream = this.#stream(who);
    const jid = this.#value(who);
    const bare = this.#value(`${who}.bare`);
    const siblings = [...this.#online].filter((name) => name !== who && this.#value(`${name}.bare`) === bare);
    stream.send(dressed(presence, this.#play.nonAscii));
    await this.#takePresence(stream, new Set([jid, ...siblings.map((name) => this.#value(name))]));
    for (const name of siblings) await this.#takePresence(this.#stream(name), new Set([jid]));
    this.#online.add(who);
  }

  /** Takes one presence of each sender out of the inbox and leaves everything else where it is. */
  async #takePresence(stream: ClientStream, senders: Set<string>): Promise<void> {
    const others: Arrival[] = [];
    while (senders.size > 0) {
      const arrival = await stream.next(this.#play.limitMs).catch((error: unknown) => {
        throw new Error(`no presence from ${[...senders].join(" nor ")}`, { cause: error });
      });
      const from =
        arrival.kind === "element" && arrival.tree.name === "presence"
          ? arrival.tree.attributes.get("from")
          : undefined;
      if (from === undefined || !senders.delete(from)) others.push(arrival);
    }
    stream.putBack(others);
  }

  #ignore(who: string, patterns: readonly Pattern[]): Promise<void> {
    const stream = this.#streams.get(who) ?? this.#newStream(who);
    const before = stream.ignores;
    stream.ignores = (tree) =>
      before(tree) || patterns.some((pattern) => "captured" in match(pattern, tree, this.#values));
    return Promise.resolve();
  }

  async #expectNothing(who: string): Promise<void> {
    await this.#barrier([who]);
    const stray = this.#stream(who).waiting[0];
    if (stray) throw new Error(`expected nothing\narrived  ${describeArrival(stray)}`);
  }

  async #settle(members: readonly string[]): Promise<void> {
    await this.#barrier(members);
    for (const name of members) this.#stream(name).clear();
  }

  /** Everything sent so far has been handled and has reached these members: everyone's pings are answered in order, twice, then theirs, then a message comes. */
  async #barrier(members: readonly string[]): Promise<void> {
    for (let round = 0; round < 2; round++) await Promise.all([...this.#bound()].map((name) => this.#ping(name)));
    for (const name of members) {
      if (!this.#stream(name).isOpen)
        throw new Error(`${name} is not connected: nothing can be said about what arrives`);
      await this.#ping(name);
      await this.#message(name);
    }
  }

  /** A message to oneself: a server may let answers pass while other stanzas wait behind stored messages. */
  async #message(name: string): Promise<void> {
    const id = `barrier-${++this.#pings}`;
    const message = `<message type='headline' id='${id}' to='${escapeXml(this.#value(name))}'><body>.</body></message>`;
    await this.#stream(name).ask(id, message, this.#play.limitMs);
  }

  async #ping(name: string): Promise<void> {
    const id = `barrier-${++this.#pings}`;
    const ping = `<iq type='get' id='${id}' to='${this.#play.server.domain}'><ping xmlns='urn:xmpp:ping'/></iq>`;
    await this.#stream(name).ask(id, ping, this.#play.limitMs);
  }

  *#bound(): Iterable<string> {
    for (const [name, stream] of this.#streams) if (stream.isOpen && this.#member(name).local !== undefined) yield name;
  }

  async #logOut(who: string): Promise<void> {
    const stream = this.#stream(who);
    stream.send("</stream:stream>");
    this.#online.delete(who);
    const arrivals: Arrival[] = [];
    let arrival = await this.#expected.next(stream, "</stream:stream>");
    for (
      ;
      arrival.kind !== "end" && arrival.kind !== "closed";
      arrival = await this.#expected.next(stream, "</stream:stream>")
    )
      arrivals.push(arrival);
    stream.end();
    if (arrival.kind === "end") await this.#expected.next(stream, "the end of the connection");
    stream.putBack(arrivals);
  }

  /** Breaks the connection; what follows waits until the server has noticed, as far as other members' pings can tell. */
  #drop(who: string): Promise<void> {
    this.#stream(who).destroy();
    this.#online.delete(who);
    return Promise.resolve();
  }

  /** They are in it, by their names, and what they were told is forgotten. */
  async #gather({ members, fields }: Extract<Step, { kind: "room" }>): Promise<void> {
    const { server, limitMs, nonAscii } = this.#play;
    const room = `room-${stampOf(fresh(), nonAscii)}@conference.${server.domain}`;
    this.#values.set("room", room);
    for (const name of members) {
      if (!this.#streams.get(name)?.isOpen) await this.#connect(this.#member(name));
      this.#values.set(`${name}.nick`, nonAscii ? accented(name) : name);
    }
    const guests = members.map((name) => ({ stream: this.#stream(name), nick: this.#value(`${name}.nick`) }));
    await gather(guests, { room, fields, limitMs });
    await this.#settle(members);
  }

  #stream(name: string): ClientStream {
    const stream = this.#streams.get(name);
    if (!stream) throw new Error(`${name} is not connected`);
    return stream;
  }

  #member(name: string): Member {
    const member = this.#scene.cast.find((each) => each.name === name);
    if (!member) throw new Error(`${name} is not in the cast`);
    return member;
  }

  #value(name: string): string {
    const value = this.#values.get(name);
    if (value === undefined) throw new TemplateError(`{${name}} has no value yet`);
    return value;
  }
}
