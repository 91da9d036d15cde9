// Short spellings of writes for the contract suite.
import { toWire } from "../../xml/wire.js";
import type { Append, Entry, Json, Put, Remove, Unit, Write } from "../writes.js";

export function unit(...writes: readonly Write[]): Unit {
  return { writes };
}

export function put(owner: string, key: string, fields: Record<string, Json> = {}, store = "notes"): Put {
  return { op: "put", store, owner, key, doc: { v: 1, ...fields } };
}

export function remove(owner: string, key: string, store = "notes"): Remove {
  return { op: "remove", store, owner, key };
}

export function entry(text: string, more: Partial<Entry> = {}): Entry {
  const stanza = toWire(`<message xmlns='jabber:client'><body>${text}</body></message>`);
  return { with: "juliet@a.example", stanza, pending: false, hidden: false, ...more };
}

export function append(owner: string, id: number, more: Partial<Entry> = {}): Append {
  return { op: "append", owner, id, entry: entry(`no. ${id}`, more) };
}
