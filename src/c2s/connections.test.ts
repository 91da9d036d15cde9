import { describe, expect, it } from "@jest/globals";
import { Connections, type Counted } from "./connections.js";

const stream = (): Counted => ({ sweep: () => undefined, shutDown: () => undefined });

describe("connections", () => {
  it("refuse more from one address than its limit, and admit again when one has gone @X5 @limit.connections_per_address", () => {
    const connections = new Connections({ connections: 10, connections_per_address: 2, preauth_connections: 10 });
    const first = stream();
    connections.add(first, "192.0.2.1");
    connections.add(stream(), "192.0.2.1");
    expect(connections.admits("192.0.2.1")).toBe(false);
    expect(connections.admits("192.0.2.2")).toBe(true);
    connections.remove(first);
    expect(connections.admits("192.0.2.1")).toBe(true);
  });

  it("bound those that have not logged in @X5 @limit.preauth_connections", () => {
    const connections = new Connections({ connections: 10, connections_per_address: 10, preauth_connections: 1 });
    const first = stream();
    connections.add(first, "192.0.2.1");
    expect(connections.admits("192.0.2.2")).toBe(false);
    connections.authenticated(first);
    expect(connections.admits("192.0.2.2")).toBe(true);
  });

  it("are no more than the limit, whatever their addresses, and logged in or not @X5 @limit.connections", () => {
    const connections = new Connections({ connections: 2, connections_per_address: 10, preauth_connections: 10 });
    const [first, second] = [stream(), stream()];
    connections.add(first, "192.0.2.1");
    connections.authenticated(first);
    expect(connections.admits("192.0.2.3")).toBe(true);
    connections.add(second, "192.0.2.2");
    expect(connections.admits("192.0.2.3")).toBe(false);
    connections.remove(first);
    expect(connections.admits("192.0.2.3")).toBe(true);
  });
});
