// What the protocol retains, said when a device subscribes. What its user may not know is not said; what cannot be known now
// is asked for again, all of it.
import type { Said } from "../dialect.ts";
import { refusedAs } from "../refused-as.ts";
import type { Device } from "./device/device.ts";
import { readFilter } from "./device/topics.ts";
import type { Provider } from "./packets/provider.ts";
import { providers } from "./providers.ts";

type Retained = NonNullable<Provider["retained"]>;
type Ask = () => Promise<readonly Said[]>;

const askedAtOnce = 8;
/** More of one kind are asked for in lists. */
const askedSingly = 20;

export async function sayRetained(filters: readonly string[], device: Device): Promise<void> {
  const wanted = filters.map(readFilter);
  const asks = providers.flatMap(({ suffixes, retained }) => {
    if (retained === undefined) return [];
    const matched = wanted.flatMap(({ id, match }) => {
      const suffix = match(suffixes);
      return suffix === undefined ? [] : [{ id, suffix }];
    });
    return suffixes.flatMap((suffix) =>
      asksOf(
        retained,
        suffix,
        matched.filter((one) => one.suffix === suffix).map(({ id }) => id),
        device,
      ),
    );
  });
  const next = asks[Symbol.iterator]();
  const work = async () => {
    for (const ask of next) {
      const said = await ask().catch(refusedAs([]));
      for (const packet of said) await device.parley.say(packet);
    }
  };
  await Promise.all(Array.from({ length: askedAtOnce }, work));
}

/** In one spelling. What the device published before it subscribed is done first: it is retained by then. */
function asksOf(retained: Retained, suffix: string, ids: readonly (string | undefined)[], device: Device): Ask[] {
  const { turns } = device;
  const all = () => turns.all().then(() => retained.ofAll(suffix, device));
  if (ids.includes(undefined)) return [all];
  const named = new Set(ids.flatMap((id) => id ?? []));
  if (named.size <= askedSingly || !retained.inLists)
    return [...named].map((id) => async () => {
      await turns.turnOf(id);
      return retained.of(id, suffix, device);
    });
  const topics = new Set([...named].map((id) => `${id}/${suffix}`));
  return [async () => (await all()).filter(({ topic }) => topics.has(topic))];
}
