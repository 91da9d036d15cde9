import { openMongo } from "#rookery/storage/mongo/mongo.js";
import { storageContract } from "#rookery/storage/contract/suite.js";
import { drop, newDatabase, options } from "./databases.js";

storageContract("mongo", async (stores) => {
  const url = newDatabase();
  let storage = await openMongo(url, stores, options());
  return {
    storage,
    async reopen() {
      await storage.close();
      return (storage = await openMongo(url, stores, options()));
    },
    async dispose() {
      await storage.close();
      await drop(url);
    },
  };
});
