// The contract of a storage driver as one suite, run over each of them by the *.test.ts files beside the drivers.
import { afterEach, beforeEach, describe } from "@jest/globals";
import type { Storage, StoreSpec } from "../port.js";
import { cursorRules } from "./cursors.js";
import { documentRules } from "./documents.js";
import { erasingRules } from "./erasing.js";
import { logRules } from "./logs.js";
import { rangeRules } from "./ranges.js";
import { retentionRules } from "./retention.js";
import { searchRules } from "./searches.js";
import { CONTRACT_STORES } from "./stores.js";
import { unitRules } from "./units.js";

/** A freshly opened, empty store of the driver under test. */
export interface Opened {
  readonly storage: Storage;
  /** Closes the store as it stands and opens what it wrote. */
  reopen(): Promise<Storage>;
  /** Closes what is still open and removes what is left. */
  dispose(): Promise<void>;
}

/** The store of the running test. */
export interface Bench {
  readonly storage: Storage;
  reopen(): Promise<void>;
}

/** Declares the suite for one driver. */
export function storageContract(name: string, open: (stores: readonly StoreSpec[]) => Promise<Opened>): void {
  describe(`storage contract: ${name}`, () => {
    let opened: Opened;
    let storage: Storage;
    beforeEach(async () => {
      opened = await open(CONTRACT_STORES);
      storage = opened.storage;
    });
    afterEach(() => opened.dispose());
    const bench: Bench = {
      get storage() {
        return storage;
      },
      async reopen() {
        storage = await opened.reopen();
      },
    };
    unitRules(bench);
    documentRules(bench);
    logRules(bench);
    cursorRules(bench);
    rangeRules(bench);
    searchRules(bench);
    retentionRules(bench);
    erasingRules(bench);
  });
}
