// What the server answers over HTTP. Fastify does the routing, the limits on requests and the form of the errors.
import { fastify, type FastifyInstance } from "fastify";
import type { Health } from "../core/health.js";
import type { Log } from "../core/log.js";

export interface WebPorts {
  readonly health: Pick<Health, "check">;
  readonly log: Log;
}

const BODY_BYTES = 16 * 1024; // nothing here takes a body yet

export async function webApp({ health, log }: WebPorts): Promise<FastifyInstance> {
  const app = fastify({ logger: false, bodyLimit: BODY_BYTES });
  app.addHook("onRequest", (_, reply, done) => {
    reply.header("x-content-type-options", "nosniff");
    done();
  });
  app.setErrorHandler<Error & { readonly statusCode?: number }>((error, _, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error({ ev: "web.failed", err: error });
    void reply.code(status).send({ error: status >= 500 ? "internal server error" : error.message });
  });
  app.setNotFoundHandler((_, reply) => void reply.code(404).send({ error: "there is nothing at this address" }));
  app.get("/health", async (_, reply) => {
    const { problem } = await health.check();
    reply.header("cache-control", "no-store");
    if (problem === undefined) return { status: "good" };
    return reply.code(503).send({ status: "bad", problem });
  });
  await app.ready();
  return app;
}
