// parley location, contact: messages that are no text and no file.
import { randomUUID } from "node:crypto";
import type { MessageContent } from "@parley/client";
import { isUid } from "@parley/protocol";
import type { Command } from "commander";
import { readAddress } from "../address.ts";
import { action, type Context, command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { printAck, sendUntilStored } from "./send.ts";

const waitSeconds = 30;

export function contentCommands(): Command[] {
  return [location(), contact()];
}

function location(): Command {
  return command("location <to> <latitude> <longitude>", "Send a place on the map.", [
    "parley location bob 52.5186 13.3762 --name Reichstag",
    "parley location bob -- -33.8568 151.2153",
  ])
    .option("--name <name>", "what it is called")
    .option("--address <address>", "where it is, in words")
    .action(
      action<{ name?: string; address?: string }>(async (context, to, latitude, longitude) => {
        const { name, address } = context.flags;
        await send(context, to, {
          type: "location",
          latitude: readDegrees("<latitude>", latitude, 90),
          longitude: readDegrees("<longitude>", longitude, 180),
          ...(name !== undefined && { name }),
          ...(address !== undefined && { address }),
        });
      }),
    );
}

interface ContactFlags {
  uid?: string;
  phone?: string[];
  email?: string[];
}

function contact(): Command {
  return command("contact <to> <name>", "Send somebody's contact.", [
    "parley contact bob 'Carol C' --uid carol",
    "parley contact bob Plumber --phone '+49 30 123456'",
  ])
    .option("--uid <uid>", "who it is here")
    .option("--phone <numbers...>", "telephone numbers")
    .option("--email <addresses...>", "e-mail addresses")
    .action(
      action<ContactFlags>(async (context, to, name = "") => {
        const { uid, phone, email } = context.flags;
        if (uid !== undefined && !isUid(uid)) throw new UsageError(`--uid ${uid}: this is no user id`);
        await send(context, to, {
          type: "contact",
          name,
          ...(uid !== undefined && { uid }),
          ...(phone && { phones: phone }),
          ...(email && { emails: email }),
        });
      }),
    );
}

function readDegrees(flag: string, text = "", most: number): number {
  const degrees = /^-?\d{1,3}(\.\d{1,15})?$/.test(text) ? Number(text) : Number.NaN;
  if (Math.abs(degrees) <= most) return degrees;
  throw new UsageError(`${flag} ${text}: degrees from -${most} to ${most} are needed`);
}

async function send({ account, output }: Context, to = "", content: MessageContent): Promise<void> {
  const packet = { id: randomUUID(), to: readAddress(to), content };
  printAck(output, await sendUntilStored(account, packet, waitSeconds));
}
