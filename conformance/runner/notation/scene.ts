// What a scene is, once read: whom it casts and its steps, each with the line it stands on.
import type { Piece } from "./template.js";

/** One element to expect. Attributes given must be there; without `…` there may be no further children. */
export interface Pattern {
  readonly name: string;
  readonly ns: string;
  readonly attributes: ReadonlyMap<string, readonly Piece[]>;
  readonly children: readonly Pattern[];
  /** The text of an element without element children. */
  readonly text: readonly Piece[] | undefined;
  /** `…` was there: more children may follow. */
  readonly open: boolean;
  readonly without: readonly { readonly element: string; readonly ns?: string }[];
  /** As written, for reports. */
  readonly source: string;
}

/** How a member of the cast gets to the server. */
export type Way = "tcp" | "tls" | "direct tls";

export type Step = { readonly line: number; readonly source: string } & Deed;

export type Deed =
  | { readonly kind: "given"; readonly watcher: string; readonly watched: string }
  | { readonly kind: "room"; readonly members: readonly string[]; readonly fields: ReadonlyMap<string, string> }
  | { readonly kind: "send"; readonly who: string; readonly pieces: readonly Piece[] }
  | { readonly kind: "bytes"; readonly who: string; readonly pieces: readonly Piece[] }
  | { readonly kind: "expect"; readonly who: string; readonly patterns: readonly Pattern[]; readonly anyOrder: boolean }
  | { readonly kind: "head"; readonly who: string; readonly pattern: Pattern }
  | { readonly kind: "closes"; readonly who: string; readonly error: Pattern | undefined }
  | { readonly kind: "ignores"; readonly who: string; readonly patterns: readonly Pattern[] }
  | { readonly kind: "quiet"; readonly who: string }
  | { readonly kind: "settles"; readonly who: string | undefined }
  | { readonly kind: "connects"; readonly who: string; readonly way: Way }
  | { readonly kind: "opens"; readonly who: string }
  | { readonly kind: "startsTls"; readonly who: string }
  | { readonly kind: "logsIn"; readonly who: string; readonly mechanism: "PLAIN" | "SCRAM-SHA-1" }
  | { readonly kind: "comesOnline"; readonly who: string; readonly presence: readonly Piece[] }
  | { readonly kind: "logsOut"; readonly who: string }
  | { readonly kind: "drops"; readonly who: string };

/** `name=local@a/resource`; a stream has no account and does everything by hand. */
export interface Member {
  readonly name: string;
  readonly local: string | undefined;
  readonly resource: string | undefined;
}

/** What the server must be set to, from a `server` line; each distinct set is a server of its own. */
export interface ServerSettings {
  readonly registration: "open" | "closed";
  readonly tls: "required" | "optional";
}

export interface Scene {
  readonly file: string;
  readonly line: number;
  /** `RFC 6121 §2.3.1`, `XEP-0280 "Receiving Messages"`. */
  readonly spec: string;
  readonly sentence: string;
  readonly tags: readonly string[];
  readonly settings: ServerSettings;
  readonly cast: readonly Member[];
  readonly steps: readonly Step[];
  /** Server name → why this scene does not hold there. */
  readonly differs: ReadonlyMap<string, string>;
}

/** A scene that cannot be read: `file:line: what is wrong`. */
export class SceneError extends Error {
  constructor(file: string, line: number, what: string, options?: ErrorOptions) {
    super(`${file}:${line}: ${what}`, options);
  }
}
