// What tests of features are made of: a core on a store in memory with the features under test, accounts, and devices without a stream.
import { setImmediate } from "node:timers/promises";
import { Stanza } from "../../stanza/stanza.js";
import type { StreamError } from "../../stanza/errors.js";
import { JID } from "../../stanza/jid.js";
import { failing, type FailingStorage, type FailurePlan } from "../../storage/contract/faults.js";
import { MemoryDisk } from "../../storage/memory/disk.js";
import { openMemory } from "../../storage/memory/memory.js";
import { parseElement } from "../../xml/document.js";
import { UNLIMITED } from "../../xml/limits.js";
import { toWire, type Wire } from "../../xml/wire.js";
import { Account, ACCOUNT_STORE } from "../account.js";
import { loadConfig } from "../config.js";
import type { Context } from "../context.js";
import { Core } from "../core.js";
import { FakeClock } from "../fake-clock.js";
import type { Feature } from "../feature.js";
import { Lane, type LanePorts } from "../lane.js";
import { silentLog } from "../log.js";
import { SeededRandom } from "../random.js";
import type { Remote } from "../router.js";
import { Session, type Sink } from "../session.js";

export interface HouseOptions {
  readonly features: (context: Context) => readonly Feature[];
  /** The stores of the features. */
  readonly stores: NonNullable<Feature["stores"]>;
  readonly remote?: Remote;
  /** Text of the configuration. The only domain is "a". */
  readonly toml?: string;
  /** The commits that fail. */
  readonly plan?: FailurePlan;
  readonly disk?: MemoryDisk;
}

/** A core with its features and nothing around it. */
export interface House {
  readonly core: Core;
  readonly context: Context;
  readonly clock: FakeClock;
  readonly storage: FailingStorage;
  readonly disk: MemoryDisk;
  /** Makes accounts, by their bare JIDs. */
  accounts(...jids: readonly string[]): Promise<void>;
  /** A device bound to the full JID, whose account must exist. It has sent nothing yet. */
  device(full: string): Promise<Device>;
  /** Lets everything that is under way come to its end. */
  settle(): Promise<void>;
}

const TURNS = 12; // more than any exchange of these tests has steps that wait
const NO_REMOTE: Remote = { decide: () => undefined };

export async function house(options: HouseOptions): Promise<House> {
  const { config } = loadConfig({ text: `domain = "a"\n${options.toml ?? ""}`, env: {} });
  const clock = new FakeClock();
  const disk = options.disk ?? new MemoryDisk();
  const storage = failing(openMemory([{ name: ACCOUNT_STORE }, ...options.stores], disk), options.plan);
  const core = await Core.open({
    config,
    storage,
    clock,
    random: new SeededRandom("house"),
    log: silentLog,
    derive: () => Promise.resolve(""),
    software: { name: "Rookery", version: "0" },
    features: options.features,
    remote: options.remote ?? NO_REMOTE,
    accountStores: [ACCOUNT_STORE, ...options.stores.flatMap((one) => (one.withAccount ? [one.name] : []))],
  });
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < TURNS; turn++) {
      clock.turn();
      await setImmediate();
    }
  };
  return {
    core,
    context: core.context,
    clock,
    storage,
    disk,
    settle,
    accounts: async (...jids) => {
      for (const jid of jids) await core.users.create(JID.parse(jid), "");
    },
    device: async (full) => {
      const sink = new Paper();
      const session = await core.sessions.bind(JID.parse(full), sink);
      if (!(session instanceof Session)) throw new Error(`${full} cannot be bound: ${session.condition}`);
      return new Device(session, sink, () => core.sessions.end(session));
    },
  };
}

/** A sink that keeps what it is given; everything counts as sent at once. */
export class Paper implements Sink {
  readonly stanzas: Stanza[] = [];
  readonly told: Wire[] = [];
  closed: StreamError | true | undefined;

  send(stanza: Stanza): void {
    this.stanzas.push(stanza);
  }

  tell(element: Wire): void {
    this.told.push(element);
  }

  drained(callback: (sent: boolean) => void): void {
    callback(true);
  }

  close(error?: StreamError): void {
    this.closed = error ?? true;
  }

  dismiss(error: StreamError): void {
    this.close(error);
  }

  pause(): void {
    // nothing is read
  }

  resume(): void {
    // nothing is read
  }
}

/** A bound session as a test sees it. */
export class Device {
  readonly session: Session;
  readonly sink: Paper;
  readonly #end: () => void;

  constructor(session: Session, sink: Paper, end: () => void) {
    this.session = session;
    this.sink = sink;
    this.#end = end;
  }

  get account(): Account {
    return this.session.account;
  }

  /** Sends a stanza as XML without its namespace; the server stamps the `from`. */
  send(xml: string): void {
    const stanza = stanzaOf(xml);
    this.session.lane.accept(stanza.readdress(this.session.jid, stanza.to));
  }

  /** What has arrived since the last look. */
  take(): readonly Stanza[] {
    return this.sink.stanzas.splice(0);
  }

  /** The stream ends. */
  leave(): void {
    this.#end();
  }
}

/** A stanza from XML in which jabber:client need not be declared. */
export function stanzaOf(xml: string): Stanza {
  const whole = xml.replace(/^<(\w+)/, "<$1 xmlns='jabber:client'");
  return Stanza.of(parseElement(toWire(whole), UNLIMITED), {});
}

/** An account in memory that exists, for tests of steps without a core. `docs` by store and key. */
export function account(jid: string, docs: Readonly<Record<string, Readonly<Record<string, object>>>> = {}): Account {
  const made = new Account(JID.parse(jid));
  const owner = made.jid.toString();
  const rows = Object.entries({ [ACCOUNT_STORE]: { "": {} }, ...docs }).flatMap(([store, byKey]) =>
    Object.entries(byKey).map(([key, doc]) => ({ store, owner, key, doc: { v: 1, ...doc }, version: 1 })),
  );
  made.load(rows);
  return made;
}

/** A session of an account in memory, for tests of steps without a core: nothing is decided by its lane. */
export function session(of: Account, resource: string, presence?: string): Session {
  const sink = new Paper();
  const noCore = {} as LanePorts;
  const lane = (self: Session): Lane => new Lane(noCore, { kind: "session", session: self }, sink);
  const made = new Session(of.jid.withResource(resource), of, sink, lane);
  if (presence !== undefined) made.presence = stanzaOf(presence).readdress(made.jid, undefined);
  of.sessions.set(resource, made);
  return made;
}
