// Types of the part of @xmpp/client that the interop peer uses (the package has none).
declare module "@xmpp/client" {
  import type { Element } from "@xmpp/xml";
  import type { EventEmitter } from "node:events";

  export interface Client extends EventEmitter {
    readonly jid: { bare(): { toString(): string } } | null;
    readonly reconnect: { stop(): void };
    readonly socket: { readonly socket: { setEncoding(encoding: "utf8"): void } };
    start(): Promise<unknown>;
    stop(): Promise<unknown>;
    send(element: Element): Promise<void>;
  }
  export function client(options: { service: string; domain: string; username: string; password: string }): Client;
  export { default as xml } from "@xmpp/xml";
}
