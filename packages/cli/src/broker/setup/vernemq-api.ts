// VerneMQ's commands over HTTP: its tables, and what it says instead of doing something.
import type { AdminApi } from "./admin-api.ts";

const api1 = "/api/v1";

export async function tableOf(api: AdminApi, path: string): Promise<Record<string, unknown>[]> {
  const answer = (await api.ask(`${api1}/${path}`)) as { type?: string; table?: Record<string, unknown>[] } | undefined;
  if (answer?.type !== "table" || !Array.isArray(answer.table))
    throw new Error(
      `VerneMQ's ${api1}/${path.split("?")[0]} answered no table: ${JSON.stringify(answer ?? null).slice(0, 200)}`,
    );
  return answer.table;
}

/** Throws in VerneMQ's words when it says anything but that it is done. */
export async function command(api: AdminApi, path: string): Promise<void> {
  const answer = (await api.ask(`${api1}/${path}`)) as { type?: string; alert?: { text?: string }[] } | undefined;
  if (answer?.type === "alert")
    throw new Error(`VerneMQ: ${answer.alert?.map(({ text }) => text).join("; ") ?? "refused"}`);
}
