// The program of both storage threads. It opens the file, says so, and then answers one request after the other, in order.
import { parentPort, workerData } from "node:worker_threads";
import { StoreFault } from "../port.js";
import { faultOf, toMessage } from "./faults.js";
import type { FileOptions } from "./file.js";
import { giveWay } from "./priority.js";
import { Reader } from "./reader.js";
import type { Reply, Request, ThreadData } from "./thread.js";
import { Writer } from "./writer.js";

type Side = Record<string, unknown> & { close(): void };

function serve({ role, options }: ThreadData<FileOptions>): void {
  const port = parentPort;
  if (!port) throw new Error("this file is the program of a thread");
  const answer = (reply: Reply) => port.postMessage(reply);
  if (role === "reader") giveWay();
  let side: Side;
  try {
    side = (role === "writer" ? new Writer(options) : new Reader(options)) as unknown as Side;
  } catch (error) {
    return answer([0, toMessage(faultOf(error, options.file))]);
  }
  port.on("message", ([number, name, argument]: Request) => {
    answer(answered(side, number, name, argument, options.file));
    if (name === "close") port.close();
  });
  answer([0, null, null]);
}

function answered(side: Side, number: number, name: string, argument: unknown, file: string): Reply {
  const method = side[name];
  if (typeof method !== "function") return [number, toMessage(new StoreFault("failed", `no ${name}`, "report this"))];
  try {
    return [number, null, method.call(side, argument)];
  } catch (error) {
    return [number, toMessage(faultOf(error, file))];
  }
}

serve(workerData as ThreadData<FileOptions>);
