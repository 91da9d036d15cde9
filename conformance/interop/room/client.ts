// A client that others wrote, as somebody in a room: what it can be told to do there, and what it must say that it has heard.
import type { Login } from "../peer.js";

export type Heard =
  | { readonly ev: "entered" | "kicked" | "banned"; readonly nick: string }
  /** `history`: said before the client came, as the client itself understands it. `correction`: the body in place of the last one. */
  | { readonly ev: "message" | "history" | "correction"; readonly nick: string; readonly body: string }
  | { readonly ev: "subject"; readonly body: string }
  | { readonly ev: "refused" };

export interface RoomClient {
  readonly name: string;
  /** The client's nick; that of its account too. */
  readonly nick: string;
  /** Logs in. */
  start(): Promise<void>;
  /** Resolves when the client is in. */
  enter(): Promise<void>;
  isRefused(): Promise<void>;
  leave(): Promise<void>;
  say(body: string): void;
  /** Corrects what was said last (XEP-0308). */
  correct(body: string): void;
  setSubject(subject: string): void;
  kick(nick: string): void;
  ban(jid: string): void;
  /** Resolves when the client has heard it; throws when that takes too long. */
  hears(what: Heard): Promise<void>;
  stop(): Promise<void>;
}

/** What a client needs to know of the room that it will be in. */
export interface Place {
  readonly room: string;
  readonly nick: string;
  readonly login: Login;
}
