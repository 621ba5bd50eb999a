// The export of the user's account, over HTTP.
import { exportPath } from "@parley/protocol";
import { at, type DownloadOptions, send } from "./files.ts";
import { readAnswer } from "./http.ts";

/** All that the server keeps of the user, as a ZIP: the answer's body, which fails if it is cut. Throws as `uploadFile` does. */
export async function exportAccount(
  base: string,
  token: string,
  { signal }: Pick<DownloadOptions, "signal"> = {},
): Promise<Response> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await send(at(base, exportPath), { headers, ...(signal ? { signal } : {}) });
  if (!answer.ok) await readAnswer(answer);
  return answer;
}
