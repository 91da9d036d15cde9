// How much random input the scanner gets, and from which seed: `ROOKERY_FUZZ_RUNS` and `ROOKERY_FUZZ_SEED`, else as much as fits into `npm test`.

export interface Amounts {
  /** Documents as the grammar allows them. */
  readonly generated: number;
  /** Documents with bytes changed. */
  readonly damaged: number;
  /** Ways to cut a stream into pieces. */
  readonly cuts: number;
  readonly seed: number;
}

export function amounts(environment: Readonly<Record<string, string | undefined>>): Amounts {
  const generated = Number(environment["ROOKERY_FUZZ_RUNS"] ?? 800);
  const seed = Number(environment["ROOKERY_FUZZ_SEED"] ?? 20261122);
  return { generated, damaged: 2 * generated, cuts: Math.max(100, generated / 100), seed };
}
