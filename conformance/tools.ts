// Where other people's programs are installed for the suites: outside the clone, kept from run to run.
import { tmpdir } from "node:os";
import { join } from "node:path";

export const TOOLS = process.env["ROOKERY_TEST_TOOLS"] || join(tmpdir(), "rookery-tools");
