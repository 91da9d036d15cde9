// Profanity in a terminal of tmux: it is typed to, and what it has heard is read from its screen, as a person would.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import type { Heard, Place, RoomClient } from "./client.js";

const PATIENCE_MS = 15_000;
const LOOK_EVERY_MS = 50;
const COLUMNS = "150"; // every line that is looked for fits
const ROWS = "60";
/** Nothing on the screen but what is looked for; no hints for beginners. */
const SETTINGS =
  "[ui]\nsplash=false\nbeep=false\nflash=false\noccupants=false\nstatuses.muc=all\ncorrection.allow=true\n[chatlogs]\nlogging=false\n";

/** Why it cannot be had. */
export function profanityIsMissing(): string | undefined {
  const absent = ["profanity", "tmux"].filter(
    (program) => spawnSync(program, [program === "tmux" ? "-V" : "-v"]).status !== 0,
  );
  return absent.length === 0 ? undefined : `no ${absent.join(" and no ")}`;
}

export class Profanity implements RoomClient {
  readonly name = "Profanity";
  readonly nick: string;
  readonly #place: Place;
  readonly #home: string;

  constructor(place: Place, home: string) {
    this.nick = place.nick;
    this.#place = place;
    this.#home = home;
  }

  async start(): Promise<void> {
    const { host, port, jid, password } = this.#place.login;
    mkdirSync(join(this.#home, "config", "profanity"), { recursive: true });
    writeFileSync(join(this.#home, "config", "profanity", "profrc"), SETTINGS);
    this.#tmux("new-session", "-d", "-x", COLUMNS, "-y", ROWS, "exec profanity");
    await this.#sees(/^ \[\d\d:\d\d\]/m);
    this.#type(`/connect ${jid} server ${host} port ${port} tls trust`);
    await this.#sees(/Enter password/);
    this.#type(password);
    await this.#sees(/logged in successfully/);
  }

  async enter(): Promise<void> {
    this.#join();
    await this.hears({ ev: "entered", nick: this.nick });
  }

  async isRefused(): Promise<void> {
    this.#join();
    await this.hears({ ev: "refused" });
  }

  /** Its window goes, and with it what was on it. */
  async leave(): Promise<void> {
    this.#type("/close");
    await this.#sees(/^ Profanity\./m);
  }

  say(body: string): void {
    this.#type(body);
  }

  correct(body: string): void {
    this.#type(`/correct ${body}`);
  }

  setSubject(subject: string): void {
    this.#type(`/subject set "${subject}"`);
  }

  kick(nick: string): void {
    this.#type(`/kick ${nick}`);
  }

  ban(jid: string): void {
    this.#type(`/ban ${jid}`);
  }

  hears(what: Heard): Promise<void> {
    return this.#sees(this.#lineOf(what));
  }

  stop(): Promise<void> {
    this.#tmux("kill-server"); // tmux's of this socket only
    return Promise.resolve();
  }

  #join(): void {
    this.#type(`/join ${this.#place.room} nick ${this.nick}`);
  }

  /** How Profanity shows it. It does not mark what was said before it came: that is what stands on a window that is new. */
  #lineOf(what: Heard): RegExp {
    switch (what.ev) {
      case "entered":
        return what.nick === this.nick ? /You have joined the room as/ : new RegExp(`-> ${what.nick} has joined`);
      case "message":
      case "history":
        return new RegExp(` - ${what.nick}: ${what.body}`);
      case "correction":
        return new RegExp(` \\+ ${what.nick}: ${what.body}`);
      case "subject":
        return new RegExp(`subject: ${what.body}`);
      case "kicked":
        return what.nick === this.nick ? /[Kk]icked from/ : new RegExp(`<- ${what.nick} has been kicked`);
      case "banned":
        return what.nick === this.nick ? /[Bb]anned from/ : new RegExp(`<- ${what.nick} has been banned`);
      case "refused":
        return /Error joining room .*forbidden/;
    }
  }

  async #sees(pattern: RegExp): Promise<void> {
    let screen = "";
    for (const patience = AbortSignal.timeout(PATIENCE_MS); !patience.aborted; await after(LOOK_EVERY_MS)) {
      screen = this.#tmux("capture-pane", "-p");
      if (pattern.test(screen)) return;
    }
    throw new Error(`Profanity does not show ${String(pattern)}:\n${screen.replace(/\n{2,}/g, "\n")}`);
  }

  #type(line: string): void {
    this.#tmux("send-keys", "-l", line);
    this.#tmux("send-keys", "Enter");
  }

  #tmux(...parameters: readonly string[]): string {
    const home = this.#home;
    const folders = { HOME: home, XDG_CONFIG_HOME: join(home, "config"), XDG_DATA_HOME: join(home, "data") };
    const command = ["-S", join(home, "tmux"), "-f", "/dev/null", ...parameters];
    const { stdout, stderr, error, status } = spawnSync("tmux", command, {
      encoding: "utf8",
      env: { ...process.env, ...folders, LANG: "C.UTF-8", TERM: "screen" },
    });
    if (status !== 0) throw new Error(`tmux ${parameters.join(" ")}: ${error?.message ?? stderr}`);
    return stdout;
  }
}
