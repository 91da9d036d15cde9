import { storageContract } from "../contract/suite.js";
import { MemoryDisk } from "./disk.js";
import { openMemory } from "./memory.js";

storageContract("memory", (stores) => {
  const disk = new MemoryDisk();
  let storage = openMemory(stores, disk);
  return Promise.resolve({
    storage,
    async reopen() {
      await storage.close();
      return (storage = openMemory(stores, disk));
    },
    dispose: () => storage.close(),
  });
});
