// Loaded into the server's process before its program (`node --import`): at SIGUSR2 it collects garbage and notes the size of what is alive in
// the file that ROOKERY_TEST_HEAP names, so that memory shows what is kept and not what the collector has not come to yet.
import { writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const file = process.env["ROOKERY_TEST_HEAP"];
process.on("SIGUSR2", () => {
  collect();
  if (file !== undefined) writeFileSync(file, String(process.memoryUsage().heapUsed));
});
