// Asks a running service to copy its store, and hears how far it is.
import { type BackupProgress, type BackupReply, type BackupRequest, backupSubject } from "@parley/protocol";
import { natsAddress } from "@parley/runtime";
import { BackupError } from "@parley/store/backup";
import { connect, createInbox, type NatsConnection } from "nats";

export interface Services {
  /** Undefined: nobody of this name answers. */
  copy(
    service: string,
    asked: Omit<BackupRequest, "progress">,
    tell: (done: number, of: number) => void,
  ): Promise<{ from: number[]; to: number[] } | undefined>;
  close(): Promise<void>;
}

// A step of the copying takes milliseconds; a store that hangs takes no longer than this.
const silenceMs = 30_000;

export async function reachServices(url: string): Promise<Services> {
  let nats: NatsConnection;
  const address = natsAddress(url);
  try {
    nats = await connect({ ...address, name: "parley backup", reconnect: false, timeout: 5_000 });
  } catch (cause) {
    const message = (cause as Error).message;
    throw new BackupError(`NATS cannot be reached (${message}): is Parley running? NATS_URL says where`, { cause });
  }
  return {
    copy: (service, asked, tell) => copy(nats, address.inboxPrefix, service, asked, tell),
    close: () => nats.close(),
  };
}

async function copy(
  nats: NatsConnection,
  prefix: string | undefined,
  service: string,
  asked: Omit<BackupRequest, "progress">,
  tell: (done: number, of: number) => void,
): Promise<{ from: number[]; to: number[] } | undefined> {
  const [inbox, progress] = [createInbox(prefix), createInbox(prefix)];
  const answered = Promise.withResolvers<BackupReply | undefined>();
  const fail = () =>
    answered.reject(new BackupError(`${service} says nothing any more: did it end? Make the backup again`));
  let silence = setTimeout(fail, silenceMs);
  const heard = nats.subscribe(progress, {
    callback(_, message) {
      clearTimeout(silence);
      silence = setTimeout(fail, silenceMs);
      const { done, of } = message.json<BackupProgress>();
      tell(done, of);
    },
  });
  const replied = nats.subscribe(inbox, {
    // Nobody there: the server says so with a message of status 503.
    callback: (_, message) => answered.resolve(message.headers?.code === 503 ? undefined : message.json<BackupReply>()),
  });
  void nats
    .closed()
    .then(() => answered.reject(new BackupError("the connection to NATS was lost: make the backup again")));
  const request: BackupRequest = { ...asked, progress };
  nats.publish(backupSubject(service), JSON.stringify(request), { reply: inbox });
  try {
    return readReply(service, await answered.promise);
  } finally {
    clearTimeout(silence);
    heard.unsubscribe();
    replied.unsubscribe();
  }
}

function readReply(service: string, reply: (BackupReply & { error?: { message: string } }) | undefined) {
  if (reply === undefined) return undefined;
  if (reply.error) throw new BackupError(`${service} could not copy its store: ${reply.error.message}; see its log`);
  if ("refused" in reply) throw new BackupError(`${service}: ${reply.refused}`);
  return reply;
}
