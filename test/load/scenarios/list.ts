// The list of 1,000 conversations with their last messages, against reading those rows from the store alone.
import { callHttp } from "@parley/client";
import { conversationsList, type ParamsOf, type ResultOf } from "@parley/protocol";
import { openDevice } from "../device.ts";
import { convOfTalk } from "../fill.ts";
import type { Session } from "../people.ts";
import { type Reader, talksOf, withReaders } from "../reader.ts";
import { type Bench, type Figure, type Scenario, type Section, sized, type Table } from "../scenario.ts";
import { timed } from "../timing.ts";

const targetMs = 50;
const times = 15;

export const list: Scenario = {
  does: "1,000 conversations listed, against reading their last messages from the store alone",
  run: async (bench) => [await measureList(bench)],
};

type Ask = (params: ParamsOf<typeof conversationsList>) => Promise<ResultOf<typeof conversationsList>>;

async function measureList(bench: Bench): Promise<Section> {
  const conversations = sized(bench, 1_000, 200);
  const reader: Reader = { uid: "lister", conversations, messages: 10 * conversations };
  const convs = talksOf(reader).map(convOfTalk);
  const figures: Figure[] = [];
  const rows: Table["rows"][number][] = [];
  await withReaders(
    bench,
    [reader],
    (store) => timed(times, () => store.log().heads(convs)),
    async (cluster, sessions, raw) => {
      const { token } = sessions.get(reader.uid) as Session;
      const { http } = cluster.run();
      const device = await openDevice(cluster, reader.uid, token);
      const ways: [string, Ask][] = [
        ["MQTT", (params) => device.ask(conversationsList, params)],
        ["HTTP", (params) => callHttp(http, conversationsList, params, { token })],
      ];
      for (const [way, ask] of ways) {
        const { median, first, worst } = await timed(times, () => listAll(ask, conversations));
        const what = `${conversations} listed, ${way}`;
        bench.say(`${what}: ${Math.round(median)} ms`);
        const baseline = { what: "last messages from the store", value: raw.median };
        const target = { text: `≤ ${targetMs} ms`, met: bench.quick ? undefined : median <= targetMs };
        figures.push({ what, value: median, unit: "ms", baseline, target });
        rows.push([what, first, worst]);
      }
      await device.close();
    },
  );
  return {
    title: "List",
    notes: [
      `conversations.list of a user with ${conversations} conversations, each with its last message, name, unread and marks; middle of ${times}.`,
      "All pages (each ends at 256 KiB), parsed as JSON; by MQTT through the edge, by HTTP from api.",
    ],
    figures,
    tables: [{ head: ["", "first ms", "worst ms"], rows }],
  };
}

async function listAll(ask: Ask, expected: number): Promise<void> {
  let got = 0;
  let page: string | null = null;
  do {
    const answer: ResultOf<typeof conversationsList> = await ask({ limit: 1_000, ...(page === null ? {} : { page }) });
    got += answer.conversations.length;
    page = answer.next;
  } while (page !== null);
  if (got !== expected) throw new Error(`conversations.list answered ${got} of ${expected}`);
}
