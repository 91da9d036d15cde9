// One round: a fresh store, a load, the server killed and started again several times, and at the end the judgement over what was
// acknowledged. Each process is ended by its id; the data lies in a folder of the round's own.
import { setTimeout as delay } from "node:timers/promises";
import type { Address } from "../runner/stream.js";
import type { Client } from "./client.js";
import { Registrar } from "../servers/registrar.js";
import { doubledIn, hasArchive, openStore, readArchive } from "./archive.js";
import { Coven } from "./coven.js";
import { readBack } from "./changes.js";
import { describe, type Kill, type LifePlan, type StartKill } from "./kills.js";
import { Ledger, type Tally } from "./ledger.js";
import { logIn, PASSWORD } from "./login.js";
import { Life } from "./life.js";
import {
  cast,
  connect,
  live,
  type Member,
  NO_RESUMPTIONS,
  recipientsIn,
  registering,
  type Resumptions,
  sayTo,
  type Scene,
  withRole,
} from "./members.js";
import { CrashServer, EndedEarly, type Place } from "./process.js";
import { Dice } from "./random.js";
import { isWell, type Trouble } from "./troubles.js";

/** A trap that nobody has stepped into by then is not waited for any longer. */
const TRAP_MS = 2500;
const LAST_MESSAGES = 10;
/** A life that takes longer hangs: its server is killed, which ends every wait. */
const LIFE_MS = 240_000;
const LOGINS_CHECKED = 5; // of the accounts made under load, the last ones

export interface RoundOptions {
  readonly seed: number;
  readonly place: Place;
  readonly lives: readonly LifePlan[];
  /** The server acknowledges before the commit: the suite must find losses. */
  readonly lies?: boolean;
  /** What happens to the store in the first life; with it the load ends before the server does. */
  readonly trouble?: Trouble;
}

export interface RoundResult extends Tally {
  /** How the lives ended, for the round's line. */
  readonly where: readonly string[];
  /** Quiet sessions after `kill -9`, and after an orderly stop. */
  readonly afterKill: Resumptions;
  readonly afterStop: Resumptions;
  /** The server has archives, and they are on: whatever was received can be looked up. */
  readonly isArchived: boolean;
  /** Messages of the room that somebody has heard. */
  readonly heardInRoom: number;
}

export class Round {
  readonly #options: RoundOptions;
  readonly #dice: Dice;
  readonly #ledger = new Ledger();
  readonly #members = cast(this.#ledger);
  readonly #coven = new Coven(this.#ledger);
  readonly #where: string[] = [];
  readonly #afterKill: Resumptions = { ...NO_RESUMPTIONS };
  readonly #afterStop: Resumptions = { ...NO_RESUMPTIONS };
  #stoppedInOrder = false;
  #isArchived = false;

  constructor(options: RoundOptions) {
    this.#options = options;
    this.#dice = new Dice(options.seed);
  }

  async run(): Promise<RoundResult> {
    let isFirst = true;
    for (const plan of this.#options.lives) {
      await this.#life(plan, isFirst);
      isFirst = false;
    }
    await this.#lastLife();
    return this.#result();
  }

  async #life({ start, end }: LifePlan, isFirst: boolean): Promise<void> {
    const { place, trouble, lies = false } = this.#options;
    if (start) await this.#startInVain(start);
    const server = await CrashServer.start(
      place,
      trouble?.maxPages === undefined ? {} : { maxPages: trouble.maxPages },
    );
    const life = new Life(server);
    const watchdog = this.#watch(server);
    try {
      if (isFirst) await this.#register(server.address);
      await this.#allConnect(life);
      await this.#coven.gather(life);
      if (lies) server.tell({ do: "lie" });
      const load = this.#members.map((member, at) => live(member, this.#scene(life, at)));
      load.push(this.#coven.live(life, this.#scene(life, load.length).dice));
      if (trouble) await this.#troubled(trouble, this.#scene(life, load.length), load);
      else load.push(registering(this.#scene(life, load.length), `new${this.#where.length}`));
      await Promise.all([this.#end(end, life), ...load]);
    } finally {
      clearTimeout(watchdog);
      await server.kill();
    }
    await Promise.all(this.#clients.map((client) => client.closed()));
    for (const client of this.#clients) client.cutOff();
  }

  #watch(server: CrashServer): NodeJS.Timeout {
    return setTimeout(() => {
      this.#ledger.problem(`a life did not end within ${LIFE_MS / 1000} s`);
      void server.kill();
    }, LIFE_MS);
  }

  get #clients(): readonly Client[] {
    return [...this.#members.map(({ client }) => client), ...this.#coven.clients];
  }

  async #troubled(trouble: Trouble, scene: Scene, load: readonly Promise<void>[]): Promise<void> {
    await trouble.make(scene);
    scene.life.finish();
    await Promise.all(load);
    await isWell(scene);
    const { refused } = this.#ledger.tally(false);
    if (refused > 0 !== trouble.refuses) this.#ledger.problem(`${refused} messages were refused`);
  }

  #scene(life: Life, at: number): Scene {
    const dice = new Dice(this.#options.seed + 1000 * (at + 1) + this.#where.length);
    return { life, members: this.#members, ledger: this.#ledger, dice };
  }

  /** A start that does not get far. */
  async #startInVain(kill: StartKill): Promise<void> {
    const { place } = this.#options;
    const plan = kill.kind === "trap" ? { trap: kill.trap } : {};
    try {
      const server = await CrashServer.start(place, plan, kill.kind === "random" ? kill.afterMs : undefined);
      await server.kill(); // it was ready first
      this.#where.push(`start ${describe(kill)} (was ready)`);
    } catch (error) {
      if (!(error instanceof EndedEarly)) throw error;
      this.#where.push(`start ${describe(kill)}`);
    }
  }

  async #end(kill: Kill, life: Life): Promise<void> {
    const { server } = life;
    this.#stoppedInOrder = false;
    switch (kill.kind) {
      case "random":
        await delay(kill.afterMs);
        this.#where.push(describe(kill));
        return server.kill();
      case "trap": {
        server.tell({ do: "trap", trap: kill.trap });
        const sprung = await Promise.race([server.ended.then(() => true), delay(TRAP_MS, false)]);
        this.#where.push(describe(kill) + (sprung ? "" : " (not reached, killed)"));
        return server.kill();
      }
      case "stop": {
        await delay(this.#dice.between(200, 700));
        server.tell({ do: "trap", trap: kill.trap });
        life.isTroubled = true; // it takes nobody in any more, and may need a moment to go
        const code = await server.stop();
        this.#stoppedInOrder = code === 0;
        this.#where.push(describe(kill));
        if (code !== (kill.trap ? null : 0)) this.#ledger.problem(`SIGTERM: exit code ${code ?? "none"}`);
        return;
      }
      default:
        kill satisfies never;
    }
  }

  /** Judged: everybody comes back, sends what was not acknowledged and a little more, and reads all there is to read. */
  async #lastLife(): Promise<void> {
    const server = await CrashServer.start(this.#options.place);
    const watchdog = this.#watch(server);
    try {
      const life = new Life(server);
      await this.#allConnect(life);
      const senders = withRole(this.#members, "sender");
      const recipients = recipientsIn(this.#members);
      for (const { client } of senders)
        for (let n = 0; n < LAST_MESSAGES; n++) sayTo(client, this.#dice.oneOf(recipients), this.#dice);
      await Promise.all(senders.map(({ client }) => client.room(1)));
      for (const { client } of withRole(this.#members, "away")) await client.connect(server.address);
      await Promise.all(this.#members.map((member) => this.#judge(member)));
      await this.#coven.judge(life);
      await this.#checkRegistered(server.address);
      await Promise.all(this.#members.map(({ client }) => client.leave()));
      const code = await server.stop();
      if (code !== 0) this.#ledger.problem(`the last stop: exit code ${code ?? "none"}`);
    } finally {
      clearTimeout(watchdog);
      await server.kill();
    }
    await this.#readStore();
  }

  async #judge({ client }: Member): Promise<void> {
    await client.room(1); // what it sent to itself before
    if (!(await client.caughtUp())) this.#ledger.problem(`${client.bare} lost its connection while it was judged`);
    await readBack(client, this.#ledger);
    if (!(await hasArchive(client))) return;
    this.#isArchived = this.#options.place.archive === "always";
    await readArchive(client, this.#ledger);
  }

  /** Those who are there at once; the others come later or not at all. */
  async #allConnect(life: Life): Promise<void> {
    const resumed = this.#stoppedInOrder ? this.#afterStop : this.#afterKill;
    const present = this.#members.filter(({ role }) => role !== "away");
    await Promise.all(present.map((member) => connect(member, life, resumed)));
  }

  async #register(address: Address): Promise<void> {
    const registrar = new Registrar(address);
    try {
      for (const { user } of this.#clients) await registrar.create(user, PASSWORD);
    } finally {
      registrar.close();
    }
  }

  async #checkRegistered(address: Address): Promise<void> {
    const made = this.#ledger.changed().filter(({ what }) => what === "account");
    for (const { account, what } of made.slice(-LOGINS_CHECKED))
      this.#ledger.observed(account, what, await valueOfAccount(account.replace(/@.*/, ""), address));
  }

  async #readStore(): Promise<void> {
    const storage = await openStore(this.#options.place.folder);
    try {
      for (const { client } of this.#members)
        for (const [id, entries] of await doubledIn(storage, client.bare))
          this.#ledger.doubled(client.bare, id, entries);
    } finally {
      await storage.close();
    }
  }

  #result(): RoundResult {
    return {
      ...this.#ledger.tally(this.#isArchived),
      where: this.#where,
      afterKill: this.#afterKill,
      afterStop: this.#afterStop,
      isArchived: this.#isArchived,
      heardInRoom: this.#coven.heard,
    };
  }
}

/** "made" if one can log in. */
async function valueOfAccount(user: string, address: Address): Promise<"made" | ""> {
  try {
    const { stream } = await logIn(address, user);
    stream.destroy();
    return "made";
  } catch {
    return ""; // not there, or the password is another
  }
}
