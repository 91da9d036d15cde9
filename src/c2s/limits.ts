// What the scanner bears on a client's stream: little before login, the configured limits after it.
import type { Limits } from "../core/limits.js";
import { AFTER_LOGIN, BEFORE_LOGIN, type ScannerLimits } from "../xml/limits.js";

export function earlyLimits(limits: Limits): ScannerLimits {
  return { ...BEFORE_LOGIN, bytes: limits.preauth_bytes };
}

export function fullLimits(limits: Limits): ScannerLimits {
  return {
    ...AFTER_LOGIN,
    bytes: limits.stanza_bytes,
    depth: limits.depth,
    elements: limits.elements,
    attributes: limits.attributes,
    namespaces: limits.namespaces,
    nameBytes: limits.name_bytes,
    namespaceBytes: limits.name_bytes,
  };
}
