// A script for the test of child processes: does what its job says.
import { serve } from "./child.js";

export interface KitJob {
  readonly does: "double" | "throw" | "end";
  readonly number: number;
}

serve(import.meta.url, ({ does, number }: KitJob): Promise<number> => {
  if (does === "double") return Promise.resolve(2 * number);
  if (does === "throw") return Promise.reject(new Error(`not ${number}`));
  process.exit(number);
});
