// The process of one local provider, for figures: its parent asks over IPC. `node serve.ts apns|fcm|webpush`
import { yieldToChat } from "@parley/runtime";
import { startApns } from "./apns.ts";
import { startFcm } from "./fcm.ts";
import { startWebPush } from "./web-push.ts";

/** What is asked, and answered with the same `id`. */
export interface Asked {
  id: number;
  what: "settings" | "figures" | "subscribe";
}

/** `cpuMs`: of this process, since it started. */
export interface Figures {
  count: number;
  connections: number;
  cpuMs: number;
}

// A real one is a machine elsewhere, and takes no processor from chat.
yieldToChat();

// The process ends with its parent, and its files with it.
const endings: (() => unknown)[] = [];
const t = { after: (end: () => unknown) => void endings.push(end) };
const start = { apns: startApns, fcm: startFcm, webpush: startWebPush };
const kind = process.argv[2] as keyof typeof start;
const provider = await start[kind](t, { counts: true });

process.on("message", ({ id, what }: Asked) => {
  process.send?.({ id, answer: answer(what) });
});
process.on("disconnect", async () => {
  for (const end of endings.toReversed()) await end();
  process.exit(0);
});

function answer(what: Asked["what"]): unknown {
  if (what === "settings") return provider.settings;
  if (what === "subscribe") return "subscribe" in provider ? provider.subscribe() : undefined;
  const { user, system } = process.cpuUsage();
  return { count: provider.count(), connections: provider.open(), cpuMs: (user + system) / 1000 } satisfies Figures;
}
