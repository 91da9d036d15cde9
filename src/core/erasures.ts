// What erased accounts leave in the store is taken out in short slices, between which commits go on: after each erasure, and after a
// start, as a crash may have come in between. Nothing shows it any more from the erasure itself on.
import type { Storage } from "../storage/port.js";
import { Errand, type ErrandPorts } from "./errand.js";

export interface ErasuresPorts extends ErrandPorts {
  readonly storage: Pick<Storage, "discard">;
}

/** After a fault of the store: of a full one, this is what makes room again. */
const RETRY_MS = 10_000;

export class Erasures extends Errand {
  constructor({ storage, ...ports }: ErasuresPorts) {
    const work = async (goesOn: () => boolean): Promise<boolean> => {
      while (goesOn() && (await storage.discard()));
      return true;
    };
    super(ports, { event: "erasure.unfinished", retryMs: RETRY_MS, work });
  }
}
