// The phases a stanza passes, in order. A feature hangs its steps on a phase by name; within a phase the order is that of features.ts.

/**
 * - `guard`: may it pass at all? (blocking, limits, forged copies)
 * - `stamp`: strip forged ids, add ours, rewrite
 * - `store`: write it down (archive, offline); the delivery verdict is known from here on
 * - `copy`: further copies (carbons, mirrors)
 * - `after`: what follows from it (push, counters); may not refuse
 */
export const PHASES = ["guard", "stamp", "store", "copy", "after"] as const;

export type Phase = (typeof PHASES)[number];

/** The phases before the recipient's delivery verdict is taken; the others come after it. */
export const BEFORE_VERDICT: readonly Phase[] = ["guard", "stamp"];
export const AFTER_VERDICT: readonly Phase[] = ["store", "copy", "after"];
