// Routers of this machine give the edge copies by a Unix socket in a folder that nobody else may enter.
import { unlink } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { AppError } from "@parley/protocol";
import { CopiesReader, writeCopiesAnswer } from "@parley/protocol/direct-copies";
import { type Logger, openOneWrite } from "@parley/runtime";
import { destroyOnError } from "../streams.ts";
import { type DirectPeople, openHandOut } from "./hand-out.ts";

export interface DirectDoor {
  close(): Promise<void>;
}

export interface DirectDoorOptions {
  path: string;
  people: DirectPeople;
  /** Writes to devices in between leave together. */
  together(work: () => void): void;
  log: Logger;
}

/** Rejects with one clear line when another edge listens there, or nobody may. */
export async function openDirectDoor({ path, people, together, log }: DirectDoorOptions): Promise<DirectDoor> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    destroyOnError(socket);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serve(socket, { people, together, log });
  });
  await listen(server, path);
  return {
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function serve(
  socket: Socket,
  { people, together, log }: Pick<DirectDoorOptions, "people" | "together" | "log">,
): void {
  const write = openOneWrite(socket);
  const { take } = openHandOut(people, (answer) => {
    if (socket.writable) write(writeCopiesAnswer(answer));
  });
  const reader = new CopiesReader();
  socket.on("data", (chunk) => {
    together(() => {
      try {
        for (const frame of reader.push(chunk)) if (frame.kind === "copies") take(frame);
      } catch (error) {
        // The router sends all through the broker that was not answered.
        log.error({ event: "direct_link_broken", err: error });
        socket.destroy();
      }
    });
  });
}

async function listen(server: Server, path: string): Promise<void> {
  try {
    await tryListen(server, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw fault(path, error as NodeJS.ErrnoException);
    if (await isAnswered(path))
      throw new AppError("unavailable", `PARLEY_DIRECT_SOCKET ${path}: another edge listens there, and only one may`);
    // A kill -9 leaves it behind.
    await unlink(path).catch(() => undefined);
    await tryListen(server, path).catch((again: NodeJS.ErrnoException) => {
      throw fault(path, again);
    });
  }
}

function tryListen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const settle = (answered: boolean) => () => {
      socket.destroy();
      resolve(answered);
    };
    socket.on("connect", settle(true)).on("error", settle(false));
  });
}

function fault(path: string, cause: NodeJS.ErrnoException): AppError {
  return new AppError("unavailable", `PARLEY_DIRECT_SOCKET ${path}: ${cause.code ?? cause.message}`, { cause });
}
