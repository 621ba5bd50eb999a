// A form with one file in it. What stands around the file is bounded like the file: in bytes, and in how long it may take.
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { AppError } from "@parley/protocol";
import type { FastifyRequest } from "fastify";
import { type Clock, startClock, type Times } from "../in-time.ts";

/** Bytes before the file and behind it together; what was read of the file and not yet stored is among them. */
const aroundMax = 512 * 1024;

export interface FormFile {
  /** as the form has it */
  name: string;
  bytes: AsyncIterable<Uint8Array>;
  /** reads what stands behind the file; throws AppErrors as `openForm` does */
  end(): Promise<void>;
}

/** The first file of a form; other files are a mistake, fields are passed over. `times` is asked at each of its parts. */
export async function openForm(request: FastifyRequest, times: () => Times): Promise<FormFile> {
  const { raw } = request;
  const parts = request.files();
  // This begins to read, so that to listen takes nothing from it.
  const opened = parts.next().catch((thrown) => Promise.reject(noForm(raw, thrown)));
  const around = watchAround(raw);
  const first = await around.within(times(), opened);
  if (first.done) throw new AppError("invalid_packet", "the form has no file");
  const { file, filename } = first.value;
  return {
    name: String(filename ?? ""),
    bytes: around.passing(toldTorn(request, file)),
    async end() {
      const next = await around.within(times(), parts.next());
      if (!next.done) throw new AppError("invalid_packet", "the form has more than one file");
    },
  };
}

// A content type without a boundary, or one that cannot be: said by the reader of forms before it reads.
function noForm({ errored }: IncomingMessage, thrown: unknown): unknown {
  const { message, statusCode } = thrown as { message: string; statusCode?: number };
  if (errored || statusCode !== undefined || thrown instanceof AppError) return thrown;
  return new AppError("invalid_packet", `the body cannot be read as a form: ${message}`, { cause: thrown });
}

interface Around {
  /** What `work` comes to, unless the form stands still or has too much in it. */
  within<T>(times: Times, work: Promise<T>): Promise<T>;
  /** Bytes that are not around the file but in it. */
  passing(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

function watchAround(raw: IncomingMessage): Around {
  let bytes = 0;
  let arrived: () => void = () => undefined;
  raw.on("data", (chunk: Uint8Array) => {
    bytes += chunk.byteLength;
    arrived();
  });
  return {
    async within(times, work) {
      let clock: Clock | undefined;
      const failed = new Promise<never>((_, reject) => {
        clock = startClock(times, reject);
        arrived = () => {
          clock?.refresh();
          if (bytes > aroundMax)
            reject(
              new AppError("too_large", `around its file a form may have ${aroundMax} bytes`, {
                details: { maxBytes: aroundMax },
              }),
            );
        };
        arrived();
      });
      try {
        return await Promise.race([failed, work]);
      } finally {
        clock?.stop();
        arrived = () => undefined;
      }
    },
    async *passing(file) {
      for await (const chunk of file) {
        bytes -= chunk.byteLength;
        yield chunk;
      }
    },
  };
}

// The whole body arrived, and the form does not end where it should.
async function* toldTorn({ raw }: FastifyRequest, file: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* withoutEnd(file);
  } catch (cause) {
    throw raw.complete ? new AppError("invalid_packet", "the form is torn", { cause }) : cause;
  }
}

/** Whoever stops reading leaves the stream open: its sender is to be answered. */
export function withoutEnd(stream: Readable): AsyncIterable<Uint8Array> {
  return stream.iterator({ destroyOnReturn: false });
}
