import { describe, expect, it } from "@jest/globals";
import { toWire, type Wire } from "../xml/wire.js";
import { Flusher, Outbox } from "./outbox.js";
import type { Transport } from "./transport.js";

class Recorder implements Transport {
  readonly address = "127.0.0.1";
  readonly security = undefined;
  readonly startTls = undefined;
  readonly written: string[] = [];
  queuedBytes = 0;
  #drains: (() => void)[] = [];

  write(text: Wire): void {
    this.written.push(text);
    this.queuedBytes += text.length;
  }

  onDrain(callback: () => void): void {
    this.#drains.push(callback);
  }

  /** The kernel takes all that is queued. */
  drain(): void {
    this.queuedBytes = 0;
    for (const drained of this.#drains.splice(0)) drained();
  }

  pause(): void {
    this.queuedBytes += 0;
  }

  resume(): void {
    this.queuedBytes += 0;
  }

  end(): void {
    this.written.push("(end)");
  }

  destroy(): void {
    this.written.push("(destroy)");
  }
}

/** A flusher whose turn ends when the test says so. */
function turn(): { flusher: Flusher; end: () => void } {
  let pending: (() => void)[] = [];
  const flusher = new Flusher((run) => pending.push(run));
  const end = (): void => {
    const due = pending;
    pending = [];
    for (const run of due) run();
  };
  return { flusher, end };
}

const nothing = (): void => undefined;

describe("the outbox", () => {
  it("writes all that one turn has for a stream at once", () => {
    const { flusher, end } = turn();
    const transport = new Recorder();
    const outbox = new Outbox(transport, flusher, 1000, nothing);
    outbox.append(toWire("<a/>"));
    outbox.append(toWire("<b/>"));
    expect(transport.written).toEqual([]);
    end();
    expect(transport.written).toEqual(["<a/><b/>"]);
  });

  it("writes once a turn to each of many streams that all have several stanzas, and leaves nothing behind", () => {
    const { flusher, end } = turn();
    const transports = Array.from({ length: 100 }, () => new Recorder());
    const outboxes = transports.map((transport) => new Outbox(transport, flusher, 1000, nothing));
    for (const text of ["<a/>", "<b/>"]) for (const outbox of outboxes) outbox.append(toWire(text));
    end();
    expect(transports.map(({ written }) => written)).toEqual(Array(100).fill(["<a/><b/>"]));
  });

  it("tells when what was appended has left, and that it has not when the connection goes before", () => {
    const { flusher, end } = turn();
    const transport = new Recorder();
    const outbox = new Outbox(transport, flusher, 1000, nothing);
    const told: boolean[] = [];
    outbox.append(toWire("<a/>"));
    outbox.onDrained((sent) => told.push(sent));
    end();
    expect(told).toEqual([]);
    transport.drain();
    outbox.append(toWire("<b/>"));
    outbox.onDrained((sent) => told.push(sent));
    end();
    outbox.append(toWire("<c/>"));
    outbox.onDrained((sent) => told.push(sent));
    outbox.gone();
    expect(told).toEqual([true, false, false]);
  });

  it("gives up a reader for whom more than the limit waits @1.2", () => {
    const { flusher } = turn();
    let overflows = 0;
    const outbox = new Outbox(new Recorder(), flusher, 10, () => overflows++);
    for (let i = 0; i < 5; i++) outbox.append(toWire("<aaaaa/>"));
    expect(overflows).toBe(1);
  });
});
