// The admin port: who is connected, and how to end a client's session. For presence, and operators.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { AppError, errorTable, reservedClientId } from "@parley/protocol";
import { type Logger, secretCheck } from "@parley/runtime";
import type { Member } from "../session/member.ts";
import type { Sessions } from "../session/sessions.ts";
import { type Door, listen } from "./listen.ts";

/** clients written at once, between which devices have their turn */
const clientsAtOnce = 500;

export async function startAdmin({
  host,
  port,
  secret,
  sessions,
  log,
}: {
  host: string;
  port: number;
  secret: string;
  sessions: Sessions;
  log: Logger;
}): Promise<Door> {
  const mayEnter = secretCheck(`Bearer ${secret}`);
  const server = createServer((request, response) => {
    answer(request, response, mayEnter, sessions).catch((error: unknown) => {
      if (!(error instanceof AppError)) log.error({ event: "admin_failed", err: error });
      if (response.headersSent) response.destroy();
      else sendError(response, AppError.from(error));
    });
  });
  const door = await listen(server, host, port, "EDGE_ADMIN_PORT");
  return {
    port: door.port,
    close: () => {
      server.closeAllConnections();
      return door.close();
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  mayEnter: (authorization: string) => boolean,
  sessions: Sessions,
) {
  request.resume();
  if (!mayEnter(request.headers.authorization ?? "")) throw new AppError("unauthenticated");
  const path = (request.url ?? "/").split("?", 1)[0]!;
  if (request.method === "GET" && path === "/clients") return sendClients(response, sessions.connected());
  const clientId = request.method === "DELETE" ? clientIdOf(path) : undefined;
  if (clientId === undefined) throw new AppError("not_found", "GET /clients or DELETE /clients/{clientId}");
  if (reservedClientId.test(clientId)) throw new AppError("forbidden", "this client id belongs to a service");
  if (!(await sessions.remove(clientId))) throw new AppError("not_found", "no such client");
  response.writeHead(204).end();
}

function clientIdOf(path: string): string | undefined {
  const [, encoded] = /^\/clients\/([^/]+)$/.exec(path) ?? [];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new AppError("invalid_packet", "the client id is not percent-encoded UTF-8");
  }
}

/** `{"clients": [{client_id, connection_id, username, mountpoint, connected_at (ms), protocol, transport}]}`, written piece by piece. */
async function sendClients(response: ServerResponse, members: Iterable<Member>): Promise<void> {
  response.writeHead(200, { "content-type": "application/json" });
  response.write('{"clients":[');
  let part: string[] = [];
  let first = true;
  const flush = async (): Promise<void> => {
    const fits = response.write((first ? "" : ",") + part.join(","));
    first = false;
    part = [];
    await new Promise<void>((resolve) => {
      if (fits || response.destroyed) setImmediate(resolve);
      else response.once("drain", resolve).once("close", resolve);
    });
  };
  for (const member of [...members]) {
    part.push(JSON.stringify(describe(member)));
    if (part.length === clientsAtOnce) await flush();
  }
  if (part.length > 0) await flush();
  response.end("]}\n");
}

function describe(member: Member) {
  const { clientId, connectionId, username, mountpoint, connectedAt, version, transport } = member;
  const ids = { client_id: clientId, connection_id: connectionId, username, mountpoint };
  return { ...ids, connected_at: connectedAt, protocol: version, transport };
}

function sendError(response: ServerResponse, error: AppError): void {
  const body = JSON.stringify({ error: error.toWire() });
  response.writeHead(errorTable[error.code].http, { "content-type": "application/json" }).end(`${body}\n`);
}
