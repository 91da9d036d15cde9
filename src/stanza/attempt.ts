// Reading a request in several steps, each of which may find it wrong: they throw, and the handler returns what came of it.
import { StanzaError } from "./errors.js";

/** What `read` makes of a request, or the StanzaError it threw. Anything else that is thrown is our mistake and goes on. */
export function attempt<T>(read: () => T): T | StanzaError {
  try {
    return read();
  } catch (error) {
    if (error instanceof StanzaError) return error;
    throw error;
  }
}
