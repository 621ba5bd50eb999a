// What an operator asks of a service over NATS, where Parley runs.
import type { WireError } from "@parley/protocol";
import { natsAddress } from "@parley/runtime";
import { connect, type NatsConnection } from "nats";

const connectMs = 5_000;

/** `name`: of the command. Throws an error that says what to do where NATS cannot be reached. */
export async function connectNats(url: string, name: string): Promise<NatsConnection> {
  return connect({ ...natsAddress(url), name: `parley ${name}`, timeout: connectMs }).catch((cause) => {
    throw new Error(`NATS cannot be reached (${cause.message}): is Parley running? NATS_URL says where`, { cause });
  });
}

/** Throws an error that says what to do where nobody answers, and what the service refuses with. `part`: its name. */
export async function askService<Reply>(
  url: string,
  { part, subject, asked, timeoutMs }: { part: string; subject: string; asked: object; timeoutMs: number },
): Promise<Reply> {
  const nats = await connectNats(url, part);
  try {
    const reply = await nats.request(subject, JSON.stringify(asked), { timeout: timeoutMs }).catch((cause) => {
      throw new Error(`${part} does not answer (${cause.message}): is it running?`, { cause });
    });
    const answered = reply.json<Reply & { error?: WireError }>();
    if (answered.error) throw new Error(answered.error.message);
    return answered;
  } finally {
    await nats.close();
  }
}
