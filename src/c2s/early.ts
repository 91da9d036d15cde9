// What a stream does before it has a session: the features it is shown, registration before login, binding after it (rulings 18).
import { LoadFault } from "../core/accounts.js";
import type { Answer, StreamInfo } from "../core/feature.js";
import type { Log } from "../core/log.js";
import { StanzaError } from "../stanza/errors.js";
import type { Stanza } from "../stanza/stanza.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { elementToWire } from "../xml/serialize.js";
import type { Wire } from "../xml/wire.js";
import type { C2SPorts } from "./ports.js";
import type { Transport } from "./transport.js";

/** Rulings 17 and attack A2: nothing but STARTTLS is offered or answered on a connection where this is false. */
export function mayLogIn({ config }: C2SPorts, { security }: Transport): boolean {
  return security !== undefined || !config.c2s.require_tls;
}

/** `<stream:features/>` (RFC 6120 §4.3.2) as they are at this point of the stream. */
export function streamFeatures(ports: C2SPorts, transport: Transport, info: StreamInfo): Element {
  const own = info.authenticated ? [xml("bind", { xmlns: NS.bind })] : loginFeatures(ports, transport);
  const others = mayLogIn(ports, transport)
    ? ports.features.flatMap((feature) => feature.streamFeatures?.(info) ?? [])
    : [];
  return xml("stream:features", {}, ...own, ...others);
}

function loginFeatures(ports: C2SPorts, transport: Transport): readonly Element[] {
  const required = ports.config.c2s.require_tls ? [xml("required")] : [];
  const tls = transport.startTls ? [xml("starttls", { xmlns: NS.tls }, ...required)] : [];
  return mayLogIn(ports, transport) ? [...tls, ...ports.authentication.features(transport.security)] : tls;
}

/** The answer to an iq that came before login; undefined for one that must not come there. */
export function earlyAnswer(
  ports: C2SPorts,
  transport: Transport,
  info: StreamInfo,
  stanza: Stanza,
): Promise<Answer> | undefined {
  const [child] = stanza.children;
  if (!child || !mayLogIn(ports, transport) || (stanza.type !== "get" && stanza.type !== "set")) return undefined;
  const handler = ports.earlyIq.get(`${child.ns} ${child.name}`);
  return handler && orWait(handler(stanza.elementOf(child), stanza.type, info), ports.log);
}

/** An account that cannot be loaded now refuses what needs it, and the stream goes on. */
export async function orWait<T>(work: Promise<T>, log: Log): Promise<T | StanzaError> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof LoadFault)) throw error;
    log.warn({ ev: "c2s.load_failed", err: error });
    return new StanzaError("resource-constraint", "wait");
  }
}

/** RFC 6120 §6.4: "=" stands for data of no length. */
export function saslWire(name: "challenge" | "success", data: Buffer | undefined): Wire {
  const text = data === undefined ? "" : data.length === 0 ? "=" : data.toString("base64");
  return elementToWire(xml(name, { xmlns: NS.sasl }, text));
}
