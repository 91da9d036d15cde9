// Randomness, as everything but the adapters sees it.
import { createHash, randomBytes } from "node:crypto";

/** A source of bytes that nobody can guess. */
export interface Random {
  bytes(count: number): Buffer;
}

/** The system's generator. */
export const systemRandom: Random = { bytes: (count) => randomBytes(count) };

/** Text of `bits` random bits in the URL-safe base64 alphabet: for ids, nonces and tokens. */
export function randomText(random: Random, bits = 128): string {
  return random.bytes(Math.ceil(bits / 8)).toString("base64url");
}

/** The same bytes for the same seed, on every run: for tests and the simulator only. */
export class SeededRandom implements Random {
  readonly #seed: string;
  #count = 0;

  constructor(seed: string | number) {
    this.#seed = String(seed);
  }

  bytes(count: number): Buffer {
    const blocks: Buffer[] = [];
    for (let made = 0; made < count; made += 32) blocks.push(this.#block());
    return Buffer.concat(blocks).subarray(0, count);
  }

  #block(): Buffer {
    return createHash("sha256").update(`${this.#seed}:${this.#count++}`).digest();
  }
}
