// What a server of this machine cannot be told as the image's is: lines of its configuration that are left out or changed in a rehearsal.
import { execFileSync } from "node:child_process";
import { searchPath } from "@parley/testkit";

/** Debian 12 has NATS 2.9, which does not know the line; from 2.10 on it counts. */
function natsKnowsSyncAlways(): boolean {
  const text = execFileSync("nats-server", ["--version"], {
    encoding: "utf8",
    env: { ...process.env, PATH: searchPath() },
  });
  const [, major, minor] = /(\d+)\.(\d+)/.exec(text) ?? [];
  return Number(major) > 2 || Number(minor) >= 10;
}

/** How the text of a mounted file of that container is changed. `ports`: port inside → port here. */
export function forServerHere(name: string, ports: ReadonlyMap<number, number>): (text: string) => string {
  const here = (port: string) => ports.get(Number(port)) ?? port;
  switch (name) {
    case "nats":
      return (text) => (natsKnowsSyncAlways() ? text : text.replace(/^\s*sync_interval: always$/m, ""));
    case "redis":
      return (text) =>
        text.replace(/^bind .*$/m, "bind 127.0.0.1").replace(/^port (\d+)$/m, (_, port) => `port ${here(port)}`);
    case "mosquitto":
      // Started by root it would become the user `mosquitto`, who cannot write to the folder of the rehearsal.
      return (text) =>
        `${text.replace(/^listener (\d+)$/m, (_, port) => `listener ${here(port)} 127.0.0.1`)}${process.getuid?.() === 0 ? "user root\n" : ""}`;
    default:
      return (text) => text;
  }
}
