// What is wrong with a stream: the conditions of RFC 6120 §4.9.3 and the error the scanner throws.

/** Defined conditions of stream errors, RFC 6120 §4.9.3. */
export type StreamCondition =
  | "bad-format"
  | "bad-namespace-prefix"
  | "conflict"
  | "connection-timeout"
  | "host-gone"
  | "host-unknown"
  | "improper-addressing"
  | "internal-server-error"
  | "invalid-from"
  | "invalid-namespace"
  | "invalid-xml"
  | "not-authorized"
  | "not-well-formed"
  | "policy-violation"
  | "remote-connection-failed"
  | "reset"
  | "resource-constraint"
  | "restricted-xml"
  | "see-other-host"
  | "system-shutdown"
  | "undefined-condition"
  | "unsupported-encoding"
  | "unsupported-feature"
  | "unsupported-stanza-type"
  | "unsupported-version";

/**
 * The peer's XML may not be read on; the stream is to be closed with this condition. `not-well-formed` also for unbound prefixes
 * (§4.9.3.13), `unsupported-encoding` also for bytes that are not UTF-8 (§4.9.3.22), `restricted-xml` for what §11.1 forbids.
 */
export class XmlFault extends Error {
  override readonly name = "XmlFault";
  readonly condition: StreamCondition;

  constructor(condition: StreamCondition, message: string) {
    super(message);
    this.condition = condition;
  }
}
