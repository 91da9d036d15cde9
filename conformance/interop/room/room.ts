// slixmpp, xmpp.js and Profanity in one room: they talk, correct themselves, read what was said while they were away, set the subject, and
// put each other out.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunningServer } from "../../servers/server.js";
import { Checks, missing, type Outcome, type Part, type Surroundings } from "../../part.js";
import { pythonWithSlixmpp } from "../slixmpp.js";
import type { Heard, Place, RoomClient } from "./client.js";
import { Profanity, profanityIsMissing } from "./profanity.js";
import { ScriptedClient } from "./scripted.js";

const PASSWORD = "correct horse";
const SLIXMPP = fileURLToPath(new URL("../../../../conformance/interop/room/slixmpp_room.py", import.meta.url));
const XMPPJS = fileURLToPath(new URL("xmppjs_room.js", import.meta.url));

export const roomPart: Part = {
  name: "clients in a room",
  shows: ["3.show2"],
  run: async (around) => {
    const python = pythonWithSlixmpp(around);
    if ("trouble" in python) return missing(python.trouble, around);
    const absent = profanityIsMissing();
    if (absent !== undefined) return missing(absent, around);
    return inFolder((folder) => run(around, python.program, folder));
  },
};

async function inFolder(use: (folder: string) => Promise<Outcome>): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "rookery-room-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(around: Surroundings, python: string, folder: string): Promise<Outcome> {
  const server = await around.server(join(folder, "server")).start();
  try {
    for (const nick of ["crone", "hag", "wicca"]) await server.register(nick, PASSWORD);
    const clients = clientsOf(server, python, folder);
    try {
      return await new RoomSuite(clients, server.domain).run();
    } finally {
      for (const client of clients.all) await client.stop();
    }
  } finally {
    await server.stop();
  }
}

interface Clients {
  /** Makes the room, and owns it. */
  readonly crone: ScriptedClient;
  /** Will be its admin. */
  readonly hag: RoomClient;
  readonly wicca: RoomClient;
  readonly all: readonly RoomClient[];
}

function clientsOf(server: RunningServer, python: string, folder: string): Clients {
  const ca = join(folder, "ca.pem");
  writeFileSync(ca, server.ca);
  const place = (nick: string, port: number): Place => ({
    room: `coven@conference.${server.domain}`,
    nick,
    login: { host: server.domain, port, jid: `${nick}@${server.domain}`, password: PASSWORD, ca },
  });
  const { port, directTlsPort } = server;
  const home = join(folder, "profanity");
  mkdirSync(home);
  const crone = new ScriptedClient("slixmpp", [python, SLIXMPP], process.env, place("crone", port));
  const hag = new Profanity(place("hag", port), home);
  const trusting = { ...process.env, NODE_EXTRA_CA_CERTS: ca };
  const wicca = new ScriptedClient("xmpp.js", [process.execPath, XMPPJS], trusting, place("wicca", directTlsPort));
  return { crone, hag, wicca, all: [crone, hag, wicca] };
}

class RoomSuite {
  readonly #clients: Clients;
  readonly #domain: string;
  readonly #checks = new Checks();

  constructor(clients: Clients, domain: string) {
    this.#clients = clients;
    this.#domain = domain;
  }

  async run(): Promise<Outcome> {
    const { hag, wicca } = this.#clients;
    await this.#checks.shows("slixmpp makes a room, Profanity and xmpp.js enter it", () => this.#gather());
    for (const client of this.#clients.all) await this.#talking(client);
    for (const client of this.#clients.all)
      await this.#checks.shows(`${client.name} leaves, enters again and sees what was said`, () =>
        this.#return(client),
      );
    await this.#checks.shows("slixmpp sets the subject, then, as an admin, Profanity", () => this.#subjects());
    await this.#checks.shows("Profanity kicks xmpp.js, which enters again", () => this.#kick(hag, wicca));
    await this.#checks.shows("slixmpp kicks Profanity, which enters again", () => this.#kick(this.#clients.crone, hag));
    await this.#checks.shows("Profanity bans xmpp.js, which is not let in again", () => this.#ban(hag, wicca));
    await this.#checks.shows("slixmpp bans Profanity, which is not let in again", () =>
      this.#ban(this.#clients.crone, hag),
    );
    return this.#checks.outcome;
  }

  async #gather(): Promise<void> {
    const { crone, hag, wicca, all } = this.#clients;
    await Promise.all(all.map((client) => client.start()));
    await crone.enter();
    await crone.unlock();
    await hag.enter();
    await wicca.enter();
    await hag.hears({ ev: "entered", nick: "wicca" });
  }

  async #talking(client: RoomClient): Promise<void> {
    const { name, nick } = client;
    await this.#checks.shows(`all hear ${name}`, async () => {
      client.say(`I am ${nick}`);
      await this.#allHear({ ev: "message", nick, body: `I am ${nick}` });
    });
    await this.#checks.shows(`all hear how ${name} corrects itself`, async () => {
      client.correct(`I was ${nick}`);
      await this.#allHear({ ev: "correction", nick, body: `I was ${nick}` });
    });
    await this.#checks.shows(`all hear ${name} again`, async () => {
      client.say(`${nick} is here`);
      await this.#allHear({ ev: "message", nick, body: `${nick} is here` });
    });
  }

  async #return(client: RoomClient): Promise<void> {
    await client.leave();
    await client.enter();
    for (const nick of ["crone", "hag", "wicca"]) await client.hears({ ev: "history", nick, body: `${nick} is here` });
  }

  async #subjects(): Promise<void> {
    const { crone, hag } = this.#clients;
    crone.setSubject("Fair is foul");
    await this.#allHear({ ev: "subject", body: "Fair is foul" });
    crone.promote(`hag@${this.#domain}`);
    await hag.leave();
    await hag.enter(); // it knows itself as an admin from here on
    hag.setSubject("Foul is fair");
    await this.#allHear({ ev: "subject", body: "Foul is fair" });
  }

  async #kick(by: RoomClient, whom: RoomClient): Promise<void> {
    by.kick(whom.nick);
    await this.#allHear({ ev: "kicked", nick: whom.nick });
    await whom.enter();
  }

  async #ban(by: RoomClient, whom: RoomClient): Promise<void> {
    by.ban(`${whom.nick}@${this.#domain}`);
    await Promise.all([by.hears({ ev: "banned", nick: whom.nick }), whom.hears({ ev: "banned", nick: whom.nick })]);
    await whom.isRefused();
  }

  async #allHear(what: Heard): Promise<void> {
    await Promise.all(this.#clients.all.map((client) => client.hears(what)));
  }
}
