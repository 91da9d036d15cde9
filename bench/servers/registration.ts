// Makes an account through XEP-0077 over direct TLS, for servers whose registration is open.
import { Connection, type Target } from "../connection.js";

/** One account; throws what the server answered when it refuses. User names and passwords must need no escaping. */
export async function registerInBand(target: Target, user: string, password: string): Promise<void> {
  const connection = await Connection.open(target);
  await connection.openStream(target.domain);
  const query = `<query xmlns='jabber:iq:register'><username>${user}</username><password>${password}</password></query>`;
  connection.write(`<iq type='set' id='register' to='${target.domain}'>${query}</iq>`);
  const [answer] = await connection.until(/<iq[^>]*?(?:\/>|>[^]*?<\/iq>)/);
  connection.close();
  if (!/^<iq[^>]*type=['"]result['"]/.test(answer)) throw new Error(`cannot register ${user}: ${answer}`);
}
