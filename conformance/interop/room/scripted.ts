// A client library in a room, by a script around it that takes commands and says what it hears as lines of JSON (slixmpp_room.py, xmppjs_room.ts).
import { Speaker } from "../peer.js";
import { named } from "../slixmpp.js";
import type { Heard, Place, RoomClient } from "./client.js";

type Line = Heard | { readonly ev: "ready" | "left" | "done" };

export class ScriptedClient implements RoomClient {
  readonly name: string;
  readonly nick: string;
  readonly #speaker: Speaker<Line>;

  constructor(name: string, command: readonly string[], environment: NodeJS.ProcessEnv, { room, nick, login }: Place) {
    this.name = name;
    this.nick = nick;
    this.#speaker = new Speaker([...command, ...named({ ...login, room, nick })], environment);
  }

  start(): Promise<void> {
    return this.#says("ready");
  }

  async enter(): Promise<void> {
    this.#speaker.forget();
    this.#do("enter");
    await this.hears({ ev: "entered", nick: this.nick });
  }

  async isRefused(): Promise<void> {
    this.#do("enter");
    await this.hears({ ev: "refused" });
  }

  async leave(): Promise<void> {
    this.#do("leave");
    await this.#says("left");
  }

  /** Takes the settings of a new room as they are, so that others may enter. */
  async unlock(): Promise<void> {
    this.#do("unlock");
    await this.#says("done");
  }

  /** Makes an account an admin of the room. */
  promote(jid: string): void {
    this.#do("promote", jid);
  }

  say(body: string): void {
    this.#do("say", body);
  }

  correct(body: string): void {
    this.#do("correct", body);
  }

  setSubject(subject: string): void {
    this.#do("subject", subject);
  }

  kick(nick: string): void {
    this.#do("kick", nick);
  }

  ban(jid: string): void {
    this.#do("ban", jid);
  }

  async hears(what: Heard): Promise<void> {
    const wanted = JSON.stringify(what);
    await this.#speaker.says(
      (line): line is Heard => same(line, what),
      `${this.name} did not hear ${wanted}, but ${JSON.stringify(this.#speaker.lines)}`,
    );
  }

  stop(): Promise<void> {
    return this.#speaker.stop();
  }

  #do(what: string, value = ""): void {
    this.#speaker.tell({ do: what, value });
  }

  async #says(ev: Line["ev"]): Promise<void> {
    await this.#speaker.says((line): line is Line => line.ev === ev, `${this.name} did not say "${ev}"`);
  }
}

function same(line: Line, wanted: Heard): boolean {
  const said: Readonly<Record<string, unknown>> = { ...line };
  return Object.entries(wanted).every(([key, value]) => said[key] === value);
}
