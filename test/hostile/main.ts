// The process of the hostile user: told its target, it attacks in turns until it is told to end.
import { constants, setPriority } from "node:os";
import { attacks } from "./attacks.ts";
import { type Blows, noBlows, type Target } from "./orders.ts";

const eachMs = 4_000;

// Its own work is not the system's: on a machine of the attacker's it would cost the honest nothing.
setPriority(constants.priority.PRIORITY_LOW);
const blows: Blows = { ...noBlows };
const ending = new AbortController();
process.on("disconnect", () => process.exit());
process.on("message", (order: Target | "end") => {
  if (order !== "end") return void attackInTurns(order);
  ending.abort();
  process.send?.(blows, () => process.exit());
});

async function attackInTurns(target: Target): Promise<void> {
  const names = target.attacks ?? Object.keys(attacks);
  const chosen = Object.entries(attacks).flatMap(([name, attack]) => (names.includes(name) ? [attack] : []));
  for (;;)
    for (const attack of chosen) {
      if (ending.signal.aborted) return;
      const turn = AbortSignal.any([ending.signal, AbortSignal.timeout(eachMs)]);
      // While a part is down it is let in nowhere: the next attack's turn comes all the same.
      await attack(target, blows, turn).catch(() => {});
    }
}
