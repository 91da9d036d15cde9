// A small server for tests of features: the core on a store in memory, with a fake clock and devices that note what they are sent.
import { ACCOUNT_STORES, SECTIONS, services, STORES } from "../features.js";
import { loadConfig } from "../core/config.js";
import type { Context } from "../core/context.js";
import { Core } from "../core/core.js";
import { FakeClock } from "../core/fake-clock.js";
import type { Feature } from "../core/feature.js";
import type { Log, LogEvent } from "../core/log.js";
import { SeededRandom } from "../core/random.js";
import type { Session, Sink } from "../core/session.js";
import { StanzaError, type StreamError } from "../stanza/errors.js";
import { JID } from "../stanza/jid.js";
import { Stanza } from "../stanza/stanza.js";
import { type FailingStorage, type FailurePlan, failing } from "../storage/contract/faults.js";
import { MemoryDisk } from "../storage/memory/disk.js";
import { openMemory } from "../storage/memory/memory.js";
import { parseElement } from "../xml/document.js";
import type { Element } from "../xml/element.js";
import { UNLIMITED } from "../xml/limits.js";
import { NS } from "../xml/namespaces.js";
import { toWire, type Wire } from "../xml/wire.js";

export interface WorldOptions {
  /** Lines of the configuration. */
  readonly config?: string;
  /** The store of a world before, to go on with. */
  readonly disk?: MemoryDisk;
  readonly clock?: FakeClock;
  readonly accounts?: readonly string[];
  /** The commits that fail. */
  readonly plan?: FailurePlan;
  /** Is given the store before the server begins. */
  readonly watch?: (storage: FailingStorage) => void;
}

export class World {
  readonly disk: MemoryDisk;
  readonly clock: FakeClock;
  readonly storage: FailingStorage;
  readonly core: Core;
  readonly events: LogEvent[];

  private constructor(disk: MemoryDisk, clock: FakeClock, storage: FailingStorage, core: Core, events: LogEvent[]) {
    this.disk = disk;
    this.clock = clock;
    this.storage = storage;
    this.core = core;
    this.events = events;
  }

  /** A server for localhost with these features. */
  static async open(
    features: (context: Context) => readonly Feature[],
    { config = "", disk = new MemoryDisk(), clock = new FakeClock(), accounts = [], plan, watch }: WorldOptions = {},
  ): Promise<World> {
    const events: LogEvent[] = [];
    const storage = failing(openMemory(STORES, disk), plan);
    watch?.(storage);
    const core = await Core.open({
      config: loadConfig({ text: config, sections: SECTIONS }).config,
      storage,
      clock,
      random: new SeededRandom(1),
      log: noting(events),
      derive: (password) => Promise.resolve({ password }),
      software: { name: "Rookery", version: "0.1.0" },
      features,
      services,
      remote: { decide: (flow) => flow.refuse(new StanzaError("remote-server-not-found")) },
      accountStores: ACCOUNT_STORES,
    });
    const world = new World(disk, clock, storage, core, events);
    for (const account of accounts) await core.users.create(JID.parse(account), "secret");
    return world;
  }

  async device(jid: string): Promise<Device> {
    const device = new Device(this);
    const session = await this.core.sessions.bind(JID.parse(jid), device);
    if (session instanceof StanzaError) throw session;
    device.session = session;
    return device;
  }

  /** Resolves when everything that is under way has been done, but for what the store or the clock holds back. */
  settled(): Promise<void> {
    this.clock.turn();
    return new Promise((resolve) => void setImmediate(resolve));
  }
}

export class Device implements Sink {
  readonly received: Stanza[] = [];
  /** What it was told beside stanzas. */
  readonly told: string[] = [];
  closedWith: StreamError | undefined;
  session: Session | undefined;
  readonly #world: World;
  #stalled: ((sent: boolean) => void)[] | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  /** Sends a stanza as written and waits until it has been dealt with. */
  async sends(text: string): Promise<void> {
    this.sendsNow(text);
    await this.#world.settled();
  }

  sendsNow(text: string): void {
    const stanza = Stanza.of(parseElement(toWire(declared(text)), UNLIMITED), { lang: "en" });
    const { session } = this;
    if (session?.open) session.lane.accept(stanza.readdress(session.jid, stanza.to));
  }

  /** Sends an iq and gives the answer. */
  async asks(text: string): Promise<Element> {
    const before = this.received.length;
    await this.sends(text);
    const answer = this.received.slice(before).find((stanza) => stanza.kind === "iq");
    if (!answer) throw new Error(`no answer to ${text}`);
    return answer.element;
  }

  /** The messages it was sent. */
  get messages(): readonly Stanza[] {
    return this.received.filter(({ kind }) => kind === "message");
  }

  /** Their bodies. */
  get bodies(): readonly string[] {
    return this.messages.flatMap((stanza) => stanza.child("body", NS.client)?.text() ?? []);
  }

  /** Its socket takes nothing any more. */
  stall(): void {
    this.#stalled ??= [];
  }

  /** Its socket takes what was sent, and goes on. */
  flows(): void {
    const stalled = this.#stalled;
    this.#stalled = undefined;
    for (const callback of stalled ?? []) callback(true);
  }

  /** It says goodbye; what was not drained is lost. */
  async goes(): Promise<void> {
    if (this.session) this.#world.core.sessions.goodbye(this.session, this);
    for (const callback of this.#stalled?.splice(0) ?? []) callback(false);
    await this.#world.settled();
  }

  send(stanza: Stanza): void {
    this.received.push(stanza);
  }

  tell(element: Wire): void {
    this.told.push(element);
  }

  drained(callback: (sent: boolean) => void): void {
    if (this.#stalled) this.#stalled.push(callback);
    else queueMicrotask(() => callback(true));
  }

  /** The connection breaks; what was not drained is lost. */
  async breaks(): Promise<void> {
    if (this.session) this.#world.core.sessions.streamLost(this.session, this);
    for (const callback of this.#stalled?.splice(0) ?? []) callback(false);
    await this.#world.settled();
  }

  close(error?: StreamError): void {
    this.closedWith = error;
    if (this.session) this.#world.core.sessions.streamLost(this.session, this);
  }

  dismiss(error: StreamError): void {
    this.close(error);
  }

  pause(): void {
    // a device that is not read from any more
  }

  resume(): void {
    // and now is again
  }
}

/** From now on the watcher's account sees the presence of the other one. */
export async function befriend(watcher: Device, watched: Device): Promise<void> {
  const bare = (device: Device): string => String(device.session?.jid.bare);
  await watcher.sends(`<presence to='${bare(watched)}' type='subscribe'/>`);
  await watched.sends(`<presence to='${bare(watcher)}' type='subscribed'/>`);
}

/** The condition of an error stanza, "" for any other. */
export function conditionOf(element: Element): string {
  return element.getChild("error")?.getChildElements()[0]?.getName() ?? "";
}

function declared(text: string): string {
  return text.replace(/^<(\w+)/, `<$1 xmlns='${NS.client}'`);
}

function noting(events: LogEvent[]): Log {
  const note = (event: LogEvent): void => void events.push(event);
  return { error: note, warn: note, info: note, debug: note, child: () => noting(events) };
}
