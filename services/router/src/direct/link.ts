// The link to the edge of this machine: a stream of frames, opened again for as long as it takes.
import { connect, type Socket } from "node:net";
import { type CopiesAnswer, CopiesReader } from "@parley/protocol/direct-copies";
import { type Logger, openOneWrite } from "@parley/runtime";

export interface Link {
  /** Nothing where it is not open. What is sent in one turn leaves in one write. */
  send(frame: Buffer): void;
  close(): void;
}

export interface LinkParts {
  path: string;
  onOpen(): void;
  onAnswer(answer: CopiesAnswer): void;
  /** Nothing more comes of what was sent. */
  onLost(): void;
  log: Logger;
}

const retryMs = 200;
/** Left unread by the edge: it stands still, and its devices' copies go through the broker. */
const unreadMax = 32 * 1024 * 1024;

export function openLink({ path, onOpen, onAnswer, onLost, log }: LinkParts): Link {
  let socket: Socket | undefined;
  let write: ((frame: Buffer) => void) | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isClosed = false;

  function open(): void {
    const reader = new CopiesReader();
    const own = connect({ path });
    socket = own;
    own.on("connect", () => {
      write = openOneWrite(own);
      log.info({ event: "direct_link_opened" });
      onOpen();
    });
    own.on("data", (chunk) => {
      try {
        for (const answer of reader.push(chunk)) if (answer.kind !== "copies") onAnswer(answer);
      } catch (error) {
        own.destroy(error as Error);
      }
    });
    own.on("error", (error) => log.debug({ event: "direct_link_failed", reason: error.message }));
    own.on("close", () => lost());
  }

  function lost(): void {
    const wasOpen = write !== undefined;
    write = undefined;
    if (wasOpen) {
      if (!isClosed) log.warn({ event: "direct_link_lost" });
      onLost();
    }
    if (!isClosed) retry = setTimeout(open, retryMs);
  }

  open();
  return {
    send(frame) {
      if (socket !== undefined && socket.writableLength > unreadMax) socket.destroy();
      else write?.(frame);
    },
    close() {
      isClosed = true;
      clearTimeout(retry);
      socket?.destroy();
    },
  };
}
