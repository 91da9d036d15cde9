// The control socket: how the command line asks the running server. One request per connection, a JSON object in a line; the answer is
// one or more such lines. Whoever may open the socket (mode 0600) is trusted like the owner of the data folder.
import { once } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { z } from "zod";
import { codeOf, reasonOf } from "../core/reason.js";
import { AdminFault, adminRequest, perform } from "./actions.js";
import type { AdminActions, AdminRequest, Bunches } from "./actions.js";

/** More than the longest request (a JID and a password, escaped) and the answer to a long list. */
const MAX_REQUEST_BYTES = 64 * 1024;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const IDLE_MS = 30_000;

/** A bunch of lines with more to come, the last one, or why there is none. */
const answerSchema = z.union([
  z.object({ lines: z.array(z.string()).readonly(), more: z.literal(true).optional() }),
  z.object({ fault: z.string() }),
]);
type Answer = z.infer<typeof answerSchema>;

/** Answers the command line while the server runs. */
export class ControlServer {
  readonly #path: string;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(path: string, actions: AdminActions, report: (error: unknown) => void) {
    this.#path = path;
    this.#server = createServer((socket) => {
      this.#open.add(socket);
      socket.on("close", () => this.#open.delete(socket));
      serve(socket, actions, report);
    });
  }

  /**
   * Opens the socket. The caller holds the lock of the data folder, so that a socket left there is one of a dead server.
   * @param report gets errors that are ours, not the administrator's.
   * @throws AdminFault if the socket cannot be made.
   */
  static async open(path: string, actions: AdminActions, report: (error: unknown) => void): Promise<ControlServer> {
    const control = new ControlServer(path, actions, report);
    try {
      rmSync(path, { force: true });
      await listenPrivately(control.#server, path);
    } catch (error) {
      throw new AdminFault(`${path}: the control socket cannot be made: ${reasonOf(error)}`);
    }
    return control;
  }

  /** Ends what is under way and removes the socket. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#open) socket.destroy();
    await closed;
    rmSync(this.#path, { force: true });
  }
}

async function listenPrivately(server: Server, path: string): Promise<void> {
  const former = process.umask(0o177); // the socket is made inside listen(), so it is never open to others
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(path, resolve);
      process.umask(former);
    });
  } finally {
    process.umask(former);
  }
  chmodSync(path, 0o600);
}

function serve(socket: Socket, actions: AdminActions, report: (error: unknown) => void): void {
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  socket.on("error", () => socket.destroy()); // who asked has gone: no fault of the server, which goes on
  linesOf(socket, MAX_REQUEST_BYTES)
    .next()
    .then(async (first) => {
      socket.setTimeout(0); // the answer may take its time
      for await (const lines of answerTo(first.done ? "" : first.value, actions))
        await say(socket, { lines, more: true });
      return { lines: [] };
    })
    .catch((error: unknown): Answer => {
      if (error instanceof AdminFault) return { fault: error.message };
      report(error);
      return { fault: "the server failed; its log says why" };
    })
    .then((last) => {
      if (socket.writable) socket.end(lineOf(last));
    })
    .catch(report);
}

async function* answerTo(line: string, actions: AdminActions): Bunches {
  const request = adminRequest.safeParse(parseJson(line));
  if (!request.success)
    throw new AdminFault("the running server does not know this request: use its own version of rookery");
  yield* perform(actions, request.data);
}

/** Waits where the other side reads slowly. */
async function say(socket: Socket, answer: Answer): Promise<void> {
  if (!socket.writable) throw new AdminFault("nobody listens any more");
  if (socket.write(lineOf(answer))) return;
  await Promise.race([once(socket, "drain"), once(socket, "close")]).catch((cause: unknown) => {
    throw new AdminFault(`nobody listens any more: ${reasonOf(cause)}`);
  });
}

function lineOf(message: Answer | AdminRequest): string {
  return `${JSON.stringify(message)}\n`;
}

/**
 * Asks the running server. The answer is what to print, in bunches of lines, or nothing if no server listens there.
 * The bunches reject with an AdminFault, the server's reason, if it did not do it.
 */
export async function controlRequest(
  path: string,
  request: AdminRequest,
): Promise<AsyncIterable<readonly string[]> | undefined> {
  const socket = await open(path);
  socket?.write(lineOf(request));
  return socket && answersOf(socket);
}

/** A server listens there. */
export async function isServed(path: string): Promise<boolean> {
  const socket = await open(path);
  socket?.destroy();
  return socket !== undefined;
}

async function* answersOf(socket: Socket): Bunches {
  try {
    for await (const line of linesOf(socket, MAX_ANSWER_BYTES)) {
      const answer = answerSchema.parse(parseJson(line));
      if ("fault" in answer) throw new AdminFault(answer.fault);
      yield answer.lines;
      if (!answer.more) return;
    }
    throw new AdminFault("the control socket was closed before the answer");
  } finally {
    socket.destroy();
  }
}

/** A connection, or nothing if there is no socket or nobody behind it. */
function open(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.once("error", (error) => {
      if (["ENOENT", "ECONNREFUSED"].includes(codeOf(error))) resolve(undefined);
      else reject(new AdminFault(`${path}: the running server cannot be asked: ${reasonOf(error)}`));
    });
  });
}

/** The lines that come, none longer than the limit. Rejects with an AdminFault when the connection fails. */
async function* linesOf(socket: Socket, limitBytes: number): AsyncGenerator<string, void> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
        yield Buffer.concat([...chunks, chunk.subarray(start, end)]).toString("utf8");
        chunks = [];
        bytes = 0;
        start = end + 1;
      }
      chunks.push(chunk.subarray(start));
      bytes += chunk.length - start;
      if (bytes > limitBytes) throw new AdminFault("too long a line on the control socket");
    }
  } catch (error) {
    if (error instanceof AdminFault) throw error;
    throw new AdminFault(`the control socket failed: ${reasonOf(error)}`);
  }
}

/** What a line says, or nothing if it is not JSON. */
function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
