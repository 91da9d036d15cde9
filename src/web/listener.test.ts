import { afterEach, describe, expect, it } from "@jest/globals";
import { loadConfig } from "../core/config.js";
import type { HealthReport } from "../core/health.js";
import { silentLog } from "../core/log.js";
import { listenForWeb, type WebListeners } from "./listener.js";

describe("HTTP", () => {
  let web: WebListeners | undefined;
  afterEach(() => web?.close());

  async function serving(check: () => Promise<HealthReport>): Promise<string> {
    const { config } = loadConfig({ text: '[http]\nlisten = ["127.0.0.1:0"]\n', env: {} });
    web = await listenForWeb({ config, log: silentLog, health: { check } });
    return `http://${web.plain[0] ?? ""}`;
  }
  const problem = (text: string | undefined) => () => Promise.resolve({ problem: text });

  it("/health answers 200 while all is well @2.5", async () => {
    const answer = await fetch(`${await serving(problem(undefined))}/health`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.json()).toEqual({ status: "good" });
  });

  it("/health answers 503 and says what is wrong when the store takes no writes @2.5", async () => {
    const answer = await fetch(`${await serving(problem("the store does not answer"))}/health`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ status: "bad", problem: "the store does not answer" });
  });

  it("any other address and any other method is answered with 404 and one line", async () => {
    const base = await serving(problem(undefined));
    for (const [path, method] of [
      ["/", "GET"],
      ["/health/../secret", "GET"],
      ["/health", "POST"],
    ] as const) {
      const answer = await fetch(base + path, { method });
      expect(answer.status).toBe(404);
      expect(await answer.json()).toEqual({ error: "there is nothing at this address" });
    }
  });

  it("what goes wrong inside is not shown to whoever asks", async () => {
    const answer = await fetch(`${await serving(() => Promise.reject(new Error("secret")))}/health`);
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({ error: "internal server error" });
  });
});
