// The generator of archive reading, a process of its own: every reader pages through its archive, again and again, and each time must
// find as many messages as the archive says it has.
import { setPriority } from "node:os";
import { Connection, type Target } from "./connection.js";
import { inChild, serve } from "./child.js";
import { difference, type Measured, PASSWORD, receiver, snapshot } from "./load.js";
import { ArchiveReader } from "./pages.js";

export interface ReadingJob {
  readonly target: Target;
  readonly serverPid: number;
  readonly readers: number;
  readonly pageSize: number;
  /** What each archive holds. */
  readonly expected: number;
  /** Whoever measures times on the same core goes first. */
  readonly isPolite?: boolean;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

const POLITE = 10; // as with `nice`

/** Reads in a child process. */
export const reading = (job: ReadingJob): Promise<Measured> => inChild("reading.js", job);

async function read(job: ReadingJob): Promise<Measured> {
  if (job.isPolite) setPriority(POLITE);
  let total = 0;
  let isOver = false;
  const connections = await Promise.all(Array.from({ length: job.readers }, (_, index) => login(job, index)));
  const walks = connections.map(async (connection) => {
    const reader = new ArchiveReader(connection);
    while (!isOver) {
      const found = await reader.walk(job.pageSize, (messages) => void (total += messages));
      if (found !== job.expected) throw new Error(`${found} of ${job.expected} messages were read`);
    }
  });
  const measuring = measure(job, () => total).finally(() => (isOver = true));
  const [measured] = await Promise.all([measuring, ...walks]);
  for (const connection of connections) connection.close();
  return measured;
}

async function login({ target }: ReadingJob, index: number): Promise<Connection> {
  const connection = await Connection.open(target);
  await connection.login(target.domain, receiver(index), PASSWORD, "reader");
  return connection;
}

async function measure({ serverPid, warmUpMs, measureMs }: ReadingJob, total: () => number): Promise<Measured> {
  await new Promise((resolve) => setTimeout(resolve, warmUpMs));
  const before = snapshot(serverPid, total());
  await new Promise((resolve) => setTimeout(resolve, measureMs));
  return difference(before, snapshot(serverPid, total()));
}

serve(import.meta.url, read);
