// Channel binding data (RFC 9266, RFC 5929 §4) and its announcement (XEP-0440 "Announcing the SASL Channel-Binding Type
// Capability"). What cannot be computed right on a connection is absent there, and -PLUS is not offered with it.
import { createHash } from "node:crypto";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";

/** Strongest first. */
export const CHANNEL_BINDING_TYPES = ["tls-exporter", "tls-server-end-point"] as const;
export type ChannelBindingType = (typeof CHANNEL_BINDING_TYPES)[number];

/** What is needed of a TLS connection on the server's side. */
export interface SecureChannel {
  /** As node:tls names it, e.g. "TLSv1.3". */
  readonly protocol: string;
  /** RFC 5705, with an empty context. */
  readonly exportKey: (length: number, label: string) => Buffer;
  /** The leaf this side has shown, in DER, and the hash function of its signature as node:crypto names it, if it has one. */
  readonly certificate: { readonly der: Buffer; readonly hash: string | undefined } | undefined;
}

export function isChannelBindingType(type: string): type is ChannelBindingType {
  return (CHANNEL_BINDING_TYPES as readonly string[]).includes(type);
}

/** The data of every type that holds on this connection, strongest first. */
export function channelBindings(channel: SecureChannel): ReadonlyMap<ChannelBindingType, Buffer> {
  const bindings = new Map<ChannelBindingType, Buffer>();
  // Before TLS 1.3 the exporter binds only with extended master secret (RFC 9266 §3), which Node does not show.
  if (channel.protocol === "TLSv1.3") bindings.set("tls-exporter", channel.exportKey(32, "EXPORTER-Channel-Binding"));
  const endPoint = serverEndPoint(channel.certificate?.der, channel.certificate?.hash);
  if (endPoint !== undefined) bindings.set("tls-server-end-point", endPoint);
  return bindings;
}

/** RFC 5929 §4.1: undefined where the signature has no one hash function, as with Ed25519; SHA-256 in place of weak ones. */
function serverEndPoint(der: Buffer | undefined, hash: string | undefined): Buffer | undefined {
  if (der === undefined || hash === undefined) return undefined;
  const weak = /^(?:md5|sha-?1)$/i.test(hash);
  return createHash(weak ? "sha256" : hash)
    .update(der)
    .digest();
}

/** The stream feature; undefined when there is nothing to announce. */
export function channelBindingFeature(types: Iterable<ChannelBindingType>): Element | undefined {
  const children = Array.from(types, (type) => xml("channel-binding", { type }));
  return children.length === 0 ? undefined : xml("sasl-channel-binding", { xmlns: NS.saslChannelBinding }, ...children);
}
