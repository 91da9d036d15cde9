// The control socket: how the command line asks the running server. One JSON object in a line each way, one request per
// connection; whoever may open the socket (mode 0600) is trusted like the owner of the data folder.
import { chmodSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { z } from "zod";
import { codeOf, reasonOf } from "../core/reason.js";
import { AdminFault, adminRequest, perform } from "./actions.js";
import type { AdminActions, AdminRequest } from "./actions.js";

/** More than the longest request (a JID and a password, escaped) and the answer to a long list. */
const MAX_REQUEST_BYTES = 64 * 1024;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const IDLE_MS = 30_000;

const answerSchema = z.union([z.object({ lines: z.array(z.string()).readonly() }), z.object({ fault: z.string() })]);
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
  readLine(socket, MAX_REQUEST_BYTES)
    .then((line) => {
      socket.setTimeout(0); // the answer may take its time
      return answerTo(line, actions);
    })
    .catch((error: unknown): Answer => {
      if (error instanceof AdminFault) return { fault: error.message };
      report(error);
      return { fault: "the server failed; its log says why" };
    })
    .then((answer) => socket.end(`${JSON.stringify(answer)}\n`))
    .catch(report);
}

async function answerTo(line: string, actions: AdminActions): Promise<Answer> {
  const request = adminRequest.safeParse(parseJson(line));
  if (!request.success)
    return { fault: "the running server does not know this request: use its own version of rookery" };
  return { lines: await perform(actions, request.data) };
}

/**
 * Asks the running server. The answer is what to print, or nothing if no server listens there.
 * @throws AdminFault with the server's reason if it did not do it.
 */
export async function controlRequest(path: string, request: AdminRequest): Promise<readonly string[] | undefined> {
  const socket = await open(path);
  if (socket === undefined) return undefined;
  try {
    socket.write(`${JSON.stringify(request)}\n`);
    const answer = answerSchema.parse(parseJson(await readLine(socket, MAX_ANSWER_BYTES)));
    if ("fault" in answer) throw new AdminFault(answer.fault);
    return answer.lines;
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

function readLine(socket: Socket, limitBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      const end = chunk.indexOf(0x0a);
      if (end >= 0) resolve(Buffer.concat(chunks).toString("utf8", 0, bytes - chunk.length + end));
      else if (bytes > limitBytes) reject(new AdminFault("too long a line on the control socket"));
    });
    socket.on("error", (error) => reject(new AdminFault(`the control socket failed: ${reasonOf(error)}`)));
    socket.on("close", () => reject(new AdminFault("the control socket was closed before the answer")));
  });
}

/** What a line says, or nothing if it is not JSON. */
function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
