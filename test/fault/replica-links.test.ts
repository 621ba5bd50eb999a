// Two of every service on bad links and with wrong clocks.
import { describe, test } from "node:test";
import { clockWrong } from "./faults/clocks-and-disks.ts";
import { both } from "./faults/fault.ts";
import { deviceTrouble, linkedServers, linkTrouble, type Trouble, troubles } from "./faults/links.ts";
import { kill } from "./faults/processes.ts";
import { redisAway, redisSlow } from "./faults/servers.ts";
import { twoOfEvery } from "./two-of-every.ts";

describe("with two of every service", () => {
  const { stage, survives } = twoOfEvery();

  test("1. nothing acknowledged is lost while Redis is away for longer than a lease, and slow", (t) =>
    survives(t, redisAway(6_000, 6_000), redisSlow(4_000)));

  test("1. nothing acknowledged is lost on links that are half-open or drip, of services and of devices", (t) => {
    const { devices, cluster } = stage();
    const [halfOpen, drip] = [troubleOf("half-open"), troubleOf("dripping")];
    return survives(
      t,
      deviceTrouble(devices, halfOpen),
      deviceTrouble(devices, drip),
      linkedServers(cluster)
        .map((server) => linkTrouble(server, halfOpen))
        .reduce(both),
    );
  });

  test("6. tokens are good and devices come in while the clocks of services step an hour forward and back", async (t) => {
    if (!stage().cluster.hasClocks) return t.skip("LIBFAKETIME IS NOT INSTALLED (apt: faketime): no clock can be set");
    const wrong = (hours: number[]) =>
      (["auth-webhook", "api", "presence", "history", "router"] as const)
        .map((service) => clockWrong(service, { forMs: 4_000, hours }))
        .reduce(both);
    // Whoever comes back must be let in by the wrong clock.
    await survives(t, both(wrong([1]), kill("edge")), both(wrong([-1]), kill("edge")));
  });
});

// Half a minute of each is for the long run.
function troubleOf(name: string): Trouble {
  const found = troubles.find((trouble) => trouble.name === name);
  if (!found) throw new Error(`there is no trouble ${name}`);
  return { ...found, minMs: 4_000, maxMs: 4_001 };
}
