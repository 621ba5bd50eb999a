// Who brings a code to a phone or a mailbox: nobody, the log of this process, or a provider behind an address.
import { AppError } from "@parley/protocol";
import type { Logger } from "@parley/runtime";

export interface SentCode {
  phone?: string;
  email?: string;
  code: string;
  /** read out by a call */
  voice?: boolean | undefined;
  /** of the text or call */
  language?: string | undefined;
}

export interface Sender {
  /** False: codes are sent to nobody. */
  isOn: boolean;
  /** The code that is always sent there, for tests: then nothing is sent. */
  fixed(to: string): string | undefined;
  /** Throws `unavailable`. */
  send(code: SentCode): Promise<void>;
}

const timeoutMs = 10_000;

/** `how`: off, print, or an http(s) address that takes a code as JSON; `fixed`: `to=code,…` */
export function createSender({ how, fixed, log }: { how: string; fixed: string; log: Logger }): Sender {
  const known = new Map(fixed.split(",").map((one) => one.split("=", 2) as [string, string]));
  return {
    isOn: how !== "off",
    fixed: (to) => known.get(to),
    async send(code) {
      if (how === "print") log.info({ event: "code", ...code });
      else await post(how, code);
    },
  };
}

async function post(address: string, code: SentCode): Promise<void> {
  const url = new URL(address);
  const { username, password } = url;
  Object.assign(url, { username: "", password: "" });
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64");
  const reply = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...(username === "" ? {} : { authorization: `Basic ${basic}` }) },
    body: JSON.stringify(code),
    redirect: "error",
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause: unknown) => {
    throw new AppError("unavailable", "the code could not be sent", { cause });
  });
  await reply.body?.cancel();
  if (!reply.ok) throw new AppError("unavailable", `the code could not be sent: the provider says ${reply.status}`);
}
