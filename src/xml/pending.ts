// The bytes of a fragment whose end has not arrived. They are copied out of their chunk; a connection between fragments has none.

const FIRST_BYTES = 512;

export class Pending {
  bytes: Buffer;
  length = 0;

  constructor() {
    this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES); // not from the pool, whose slabs a small buffer would hold on to
  }

  /** How many bytes to take from the next chunk: as many as are there, so that copying stays linear however small the chunks. */
  get step(): number {
    return Math.max(this.length, FIRST_BYTES);
  }

  /** Appends `source[start, end)` and returns how many bytes were copied, those of a growing buffer included. */
  append(source: Buffer, start: number, end: number): number {
    const length = this.length + end - start;
    const moved = length > this.bytes.length ? this.#grow(length) : 0;
    source.copy(this.bytes, this.length, start, end);
    this.length = length;
    return moved + end - start;
  }

  #grow(length: number): number {
    const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.bytes.length));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
    return this.length;
  }
}
