import { describe, expect, it } from "@jest/globals";
import { Connections, type Counted } from "./connections.js";

const stream = (): Counted => ({ sweep: () => undefined, shutDown: () => undefined });

describe("connections", () => {
  it("refuse more from one address than its limit, and admit again when one has gone @X5", () => {
    const connections = new Connections({ connections: 10, connections_per_address: 2, preauth_connections: 10 });
    const first = stream();
    connections.add(first, "192.0.2.1");
    connections.add(stream(), "192.0.2.1");
    expect(connections.admits("192.0.2.1")).toBe(false);
    expect(connections.admits("192.0.2.2")).toBe(true);
    connections.remove(first);
    expect(connections.admits("192.0.2.1")).toBe(true);
  });

  it("bound those that have not logged in @X5", () => {
    const connections = new Connections({ connections: 10, connections_per_address: 10, preauth_connections: 1 });
    const first = stream();
    connections.add(first, "192.0.2.1");
    expect(connections.admits("192.0.2.2")).toBe(false);
    connections.authenticated(first);
    expect(connections.admits("192.0.2.2")).toBe(true);
  });
});
