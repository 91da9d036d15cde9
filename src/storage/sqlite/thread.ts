// The main thread's end of a storage thread: requests out, answers in. A thread that dies fails whatever waits for it.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { StoreFault } from "../port.js";
import { fromMessage } from "./faults.js";
import type { FaultMessage } from "./faults.js";

/** What a thread is started with. */
export interface ThreadData<Options> {
  readonly role: "writer" | "reader";
  readonly options: Options;
}

/** Number, method, argument. */
export type Request = readonly [number, string, unknown];

/** The number of the request (0: the thread is ready, or could not start), the fault or null, the answer. */
export type Reply = readonly [number, FaultMessage] | readonly [number, null, unknown];

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (fault: StoreFault) => void;
}

/** The methods of a side that can be called from the other thread: at most one argument, a plain answer. */
type Calls<Side> = { readonly [K in keyof Side]: Side[K] extends (argument: never) => unknown ? Side[K] : never };

export class Thread<Side> {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #gone: StoreFault | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (reply: Reply) => this.#settle(reply));
    worker.on("messageerror", (error) => this.#end(error.message));
    worker.on("error", (error) => this.#end(error instanceof Error ? error.message : String(error)));
    worker.on("exit", (code) => this.#end(`exit ${code}`));
  }

  /** Starts the program and waits until it is ready. Rejects with the StoreFault it met. */
  static async start<Side>(program: URL, data: ThreadData<unknown>): Promise<Thread<Side>> {
    const thread = new Thread<Side>(new Worker(program, { workerData: data, execArgv: [] }));
    await thread.#wait(0);
    return thread;
  }

  /** Why the thread takes no more requests; undefined while it does. */
  get gone(): StoreFault | undefined {
    return this.#gone;
  }

  /** Asks the thread; requests are answered in order. Rejects with a StoreFault: the answer, or "closed" when the thread has ended. */
  async call<K extends keyof Calls<Side> & string>(
    name: K,
    ...argument: Calls<Side>[K] extends (...all: infer A) => unknown ? A : never
  ): Promise<Calls<Side>[K] extends (...all: never) => infer R ? R : never> {
    if (this.#gone) throw this.#gone;
    const answer = this.#wait(++this.#last);
    this.#worker.postMessage([this.#last, name, argument[0]] satisfies Request);
    return (await answer) as Calls<Side>[K] extends (...all: never) => infer R ? R : never;
  }

  /** Ends the thread after all that was asked before. */
  async close(): Promise<void> {
    if (this.#gone) return;
    const exit = once(this.#worker, "exit");
    this.#worker.postMessage([++this.#last, "close", null] satisfies Request);
    this.#gone = new StoreFault("closed", "the store is closed", "open it again");
    await exit;
  }

  #wait(number: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#waiting.set(number, { resolve, reject }));
  }

  #settle([number, fault, answer]: Reply): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (fault) waiting?.reject(fromMessage(fault));
    else waiting?.resolve(answer);
  }

  #end(cause: string): void {
    this.#gone ??= new StoreFault("closed", `the storage thread has ended (${cause})`, "start the server again");
    for (const { reject } of this.#waiting.values()) reject(this.#gone);
    this.#waiting.clear();
  }
}
