// parley devices: what is logged in as you, and ending it.
import type { ResultOf } from "@parley/client";
import { devicesList, devicesRemove, devicesRemoveOthers, devicesUpdate } from "@parley/protocol";
import { Command } from "commander";
import { action, command } from "../command.ts";
import { printable } from "../output.ts";

export function devicesCommand(): Command {
  const devices = new Command("devices").description("Your devices: which there are, and ending them.");
  for (const one of [list(), name(), remove(), removeOthers()]) devices.addCommand(one);
  return devices.addHelpText(
    "after",
    "\nExamples:\n  $ parley devices list\n  $ parley devices remove alice:old-phone",
  );
}

function list(): Command {
  return command("list", "Your devices.", ["parley devices list"]).action(
    action(async ({ account, output }) => {
      const { devices } = await account.call(devicesList, {});
      for (const device of devices) output.result(device, deviceLine(device));
      if (devices.length === 0) output.note("none yet");
    }),
  );
}

function name(): Command {
  return command("name <clientId> <name>", "Call a device by a name.", [
    "parley devices name alice:web 'the one at work'",
  ]).action(
    action(async ({ account, output }, clientId = "", called = "") => {
      const device = await account.call(devicesUpdate, { clientId, name: called });
      output.result(device, deviceLine(device));
    }),
  );
}

function remove(): Command {
  return command("remove <clientId>", "Log a device out and forget it.", ["parley devices remove alice:web"]).action(
    action(async ({ account, output }, clientId = "") => {
      await account.call(devicesRemove, { clientId });
      output.result({ removed: [clientId] }, clientId);
    }),
  );
}

function removeOthers(): Command {
  return command("remove-others", "Log out every device but this one.", ["parley devices remove-others"]).action(
    action(async ({ account, output }) => {
      const answer = await account.call(devicesRemoveOthers, {});
      output.result(answer, answer.removed.join("\n") || "none");
    }),
  );
}

type Device = ResultOf<typeof devicesUpdate>;

function deviceLine({ clientId, name: called, kind, address, online, lastSeen }: Device): string {
  const seen = lastSeen === null ? "" : `last seen ${new Date(lastSeen).toISOString()}`;
  return [clientId, printable(called), kind, address, online ? "online" : seen].filter(Boolean).join("  ");
}
