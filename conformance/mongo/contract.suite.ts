import { openMongo } from "#rookery/storage/mongo/mongo.js";
import { storageContract } from "#rookery/storage/contract/suite.js";
import { drop, newDatabase, options } from "./databases.js";

/** The rules are about what is kept, not how fast: the stand-in reads whole logs where MongoDB uses an index. */
const patience = { selectMs: 20_000, answerMs: 100_000 };

storageContract("mongo", async (stores) => {
  const url = newDatabase();
  const open = () => openMongo(url, stores, options({ patience }));
  let storage = await open();
  return {
    storage,
    async reopen() {
      await storage.close();
      return (storage = await open());
    },
    async dispose() {
      await storage.close();
      await drop(url);
    },
  };
});
