// A whole server on a fake clock, a fake network and a store in memory: every run of the same script is the same run.
import { ClientStream } from "../c2s/stream.js";
import { loadConfig } from "../core/config.js";
import { FakeClock } from "../core/fake-clock.js";
import type { Log, LogEvent } from "../core/log.js";
import { SeededRandom } from "../core/random.js";
import { SECTIONS } from "../features.js";
import { openServer, STORES, type Server } from "../start.js";
import { ACCOUNT_STORE } from "../core/account.js";
import { deriveCredentials } from "../sasl/credentials.js";
import type { Json } from "../storage/writes.js";
import { JID } from "../stanza/jid.js";
import { MemoryDisk } from "../storage/memory/disk.js";
import { openMemory } from "../storage/memory/memory.js";
import { failing, type FailingStorage } from "../storage/contract/faults.js";
import type { Element } from "../xml/element.js";
import { WireClient } from "./wire-client.js";

/** Everybody's password. */
export const PASSWORD = "secret";

export interface Simulation {
  readonly server: Server;
  readonly clock: FakeClock;
  readonly storage: FailingStorage;
  readonly disk: MemoryDisk;
  /** A connection on which nothing has been said yet. */
  readonly connect: (client?: WireClient) => WireClient;
  /** Makes an account, unless it is there, whose password is PASSWORD. */
  readonly account: (user: string) => Promise<void>;
  /** A client logged in as `user` (made if need be) and bound to `resource`; `declarations` go into its stream header. */
  readonly login: (user: string, resource: string, client?: WireClient, declarations?: string) => Promise<WireClient>;
  /** What the server has logged. */
  readonly events: readonly LogEvent[];
  /** Lets everything that is under way come to its end. */
  readonly settle: () => Promise<void>;
  /** Stops the server and starts a new one on the same store. */
  readonly restart: () => Promise<Simulation>;
  /** The server dies, and after so many ms a new one starts on what it had stored. */
  readonly crash: (downMs?: number) => Promise<Simulation>;
}

/** `toml` is configuration text; it begins in the section [auth]. */
export async function simulate(toml = "", disk = new MemoryDisk(), clock = new FakeClock()): Promise<Simulation> {
  const iterations = toml.startsWith("scram_iterations") ? "" : "scram_iterations = 4096\n";
  const { config } = loadConfig({ text: `[auth]\n${iterations}${toml}`, env: {}, sections: SECTIONS });
  const storage = failing(openMemory(STORES, disk));
  const events: LogEvent[] = [];
  const random = new SeededRandom(clock.now());
  const server = await openServer({
    config,
    storage,
    clock,
    random,
    log: noting(events),
    software: { name: "Rookery", version: "0" },
  });
  await server.core.begin();
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < TURNS; turn++) {
      clock.advance(0);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  };
  const connect = (client = new WireClient()): WireClient => {
    client.stream = new ClientStream(server.c2s, client);
    client.soon = (run) => clock.soon(run);
    return client;
  };
  const account = async (user: string): Promise<void> => {
    const jid = JID.of(user, config.domain);
    const doc = { v: 1, created: clock.now(), credentials: (await CREDENTIALS) as Json };
    const put = { op: "put", store: ACCOUNT_STORE, owner: jid.toString(), key: "", doc, ifAbsent: true } as const;
    if ((await server.core.committer.commit([put])) === "done") server.core.accounts.invalidate(jid);
  };
  const login = async (
    user: string,
    resource: string,
    client = new WireClient(),
    declarations = "",
  ): Promise<WireClient> => {
    await account(user);
    connect(client);
    client.send(header(config.domain));
    const plain = Buffer.from(`\0${user}\0${PASSWORD}`).toString("base64");
    client.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`);
    await until({ settle }, client, "success");
    client.send(header(config.domain).replace(/>$/, `${declarations}>`));
    client.send(
      `<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`,
    );
    await until({ settle }, client, "iq");
    return client;
  };
  const restart = async (): Promise<Simulation> => {
    await server.stop();
    clock.advance(1); // what is random in a simulation follows from when it began
    return simulate(toml, disk, clock);
  };
  const crash = (downMs = 1): Promise<Simulation> => {
    storage.hold(); // it may still want to write, and nobody hears of it
    return simulate(toml, disk, new FakeClock(clock.now() + downMs));
  };
  return { server, clock, storage, disk, connect, account, login, settle, restart, crash, events };
}

/** Derived once: every account has the same. */
const CREDENTIALS = deriveCredentials(PASSWORD, 4096, (size) => Buffer.alloc(size, "salt"));
const TURNS = 4; // enough for a read, a commit and what follows from them
const MAX_WAITS = 100_000; // key derivation runs on other threads, so its end is waited for

function noting(events: LogEvent[]): Log {
  const note = (event: LogEvent): void => void events.push(event);
  const log: Log = { error: note, warn: note, info: note, debug: () => undefined, child: () => log };
  return log;
}

/** The head of a client's stream. */
export function header(to: string): string {
  return `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='${to}' version='1.0' xml:lang='en'>`;
}

/** Everything that arrives up to the first element of this name; waits for what runs on other threads. */
export async function until(
  { settle }: Pick<Simulation, "settle">,
  client: WireClient,
  name: string | RegExp,
): Promise<readonly Element[]> {
  const isIt = (one: Element): boolean => (typeof name === "string" ? one.name === name : name.test(one.name));
  const seen: Element[] = [];
  for (let wait = 0; wait < MAX_WAITS; wait++) {
    await settle();
    seen.push(...client.take());
    if (seen.some(isIt)) return seen;
  }
  throw new Error(`no ${String(name)} came, but: ${seen.map(String).join("")}`);
}
