// parley push: what a user has registered and set; for an operator, whether its devices can be notified, and what was given up tried again.
import {
  type PushProvider,
  type PushReplayReply,
  type PushReplayRequest,
  type PushTestReply,
  pushProviders,
  subjects,
} from "@parley/protocol";
import { Command } from "commander";
import { findNats } from "../backup/place.ts";
import { askService } from "../operator-request.ts";
import { openOutput } from "../output.ts";
import { readNumber } from "../read-number.ts";
import { readWord } from "../read-word.ts";
import { listTokens, ownSettings } from "./push-own.ts";

interface Flags {
  json?: boolean;
  provider?: string;
  limit: string;
}

/** Longer than a provider is given for one notification. */
const timeoutMs = 75_000;
const replayedAtOnce = 1_000;
const where = "Run it where Parley runs (run.json of PARLEY_DIR, or NATS_URL).";

export function pushCommand(): Command {
  const push = new Command("push").description(
    "Push notifications: yours; for an operator, try a user's devices, and what was given up.",
  );
  for (const one of [listTokens(), ownSettings(), tryDevices(), replay()]) push.addCommand(one);
  return push.addHelpText(
    "after",
    "\nExamples:\n  $ parley push settings --preview name\n  $ parley push test alice\n  $ parley push replay",
  );
}

function tryDevices(): Command {
  return new Command("test")
    .argument("<uid>")
    .description(
      "Send one notification to each of a user's devices, and say what happened to it; 1 if one was not taken.",
    )
    .option("--json", "a line of JSON a device instead of text")
    .addHelpText("after", `\n${where}\n\nExamples:\n  $ parley push test alice`)
    .action(async (uid: string, flags: Flags) => {
      const output = openOutput(flags.json === true);
      const asked = { part: "push", subject: subjects.testPush, asked: { uid }, timeoutMs };
      const { devices } = await askService<PushTestReply>(findNats(), asked);
      for (const one of devices) output.result(one, `${one.clientId} (${one.kind}, ${one.appId}): ${one.words}`);
      if (devices.length === 0) throw new Error(`no device of ${uid} has registered for notifications (push.register)`);
      const failed = devices.filter(({ outcome }) => outcome !== "sent").length;
      if (failed > 0) throw new Error(`${failed} of ${devices.length} were not taken`);
    });
}

function replay(): Command {
  return new Command("replay")
    .description("Try again what was given up, the oldest first: when its reason is mended.")
    .option("--provider <name>", `of one provider: ${pushProviders.join(", ")}`)
    .option("--limit <n>", "how many at most", "1000000")
    .option("--json", "the result as JSON instead of text")
    .addHelpText("after", `\n${where}\n\nExamples:\n  $ parley push replay --provider apns`)
    .action(async (flags: Flags) => {
      const output = openOutput(flags.json === true);
      const most = readNumber("--limit", flags.limit, 1);
      const provider = flags.provider === undefined ? undefined : readWord("--provider", pushProviders, flags.provider);
      const all = await replayAll(provider, most);
      const { replayed, expired, left } = all;
      output.result(
        all,
        `${replayed} in the queue again, ${expired} removed that are of no use any more, ${left} left${waitingWords(all)}`,
      );
    });
}

/** Which providers have a queue that is not empty. */
function waitingWords({ waiting = {} }: PushReplayReply): string {
  const some = Object.entries(waiting).filter(([, messages]) => messages > 0);
  if (some.length === 0) return "";
  return `; waiting in the queue, in messages of up to 32: ${some.map(([name, messages]) => `${name} ${messages}`).join(", ")}`;
}

async function replayAll(provider: PushProvider | undefined, most: number): Promise<PushReplayReply> {
  const url = findNats();
  const all: PushReplayReply = { replayed: 0, expired: 0, left: 0 };
  for (;;) {
    const limit = Math.min(replayedAtOnce, most - all.replayed - all.expired);
    const asked: PushReplayRequest = { ...(provider !== undefined && { provider }), limit };
    const page = await askService<PushReplayReply>(url, {
      part: "push",
      subject: subjects.replayPush,
      asked,
      timeoutMs,
    });
    all.replayed += page.replayed;
    all.expired += page.expired;
    all.left = page.left;
    if (page.waiting) all.waiting = page.waiting;
    const isDone = page.left === 0 || page.replayed + page.expired === 0 || all.replayed + all.expired >= most;
    if (isDone) return all;
  }
}
