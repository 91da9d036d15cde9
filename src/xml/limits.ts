// Limits on what one element of a stream may cost; each is checked while scanning, before anything is built. Beyond one: policy-violation.

/** All counts are per fragment (a stanza, the stream head, a document) unless they say otherwise. */
export interface ScannerLimits {
  /** Bytes from `<` to `>`; for the stream head also everything before it. */
  readonly bytes: number;
  /** Elements inside each other; the stanza itself is 1. */
  readonly depth: number;
  readonly elements: number;
  /** Attributes of one element, namespace declarations included. */
  readonly attributes: number;
  readonly totalAttributes: number;
  /** Bytes of an element's or attribute's name as written. */
  readonly nameBytes: number;
  /** Namespace declarations in effect at one place. */
  readonly namespaces: number;
  /** Bytes of one namespace as written. */
  readonly namespaceBytes: number;
}

/** Before login: RFC 6120 §13.12 asks for at least 10,000 bytes; nothing that is sent there is deep or wide. */
export const BEFORE_LOGIN: ScannerLimits = {
  bytes: 10 * 1024,
  depth: 16,
  elements: 256,
  attributes: 32,
  totalAttributes: 512,
  nameBytes: 128,
  namespaces: 32,
  namespaceBytes: 256,
};

/** After login: an avatar or an archive page fits; the counts keep the largest tree below ten times `bytes`. */
export const AFTER_LOGIN: ScannerLimits = {
  bytes: 256 * 1024,
  depth: 64, // several times the deepest stanza in use
  elements: 4096,
  attributes: 64,
  totalAttributes: 8192,
  nameBytes: 256,
  namespaces: 64,
  namespaceBytes: 512,
};

/** For text the server wrote itself and reads back. */
export const UNLIMITED: ScannerLimits = {
  bytes: Infinity,
  depth: Infinity,
  elements: Infinity,
  attributes: Infinity,
  totalAttributes: Infinity,
  nameBytes: Infinity,
  namespaces: Infinity,
  namespaceBytes: Infinity,
};
