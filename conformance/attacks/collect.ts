// Loaded into the server's process before its program (`node --import`): at SIGUSR2 it collects garbage, so that the resident memory shows
// what is kept and not what the collector has not come to yet.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
process.on("SIGUSR2", () => collect());
