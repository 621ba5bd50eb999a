// A Chromium without a window, driven by its DevTools protocol: pages of one origin that load the SDK's own files.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "@parley/testkit";

const client = join(import.meta.dirname, "../../packages/client");
const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--remote-debugging-port=0",
];

/** Where Chromium is, or undefined. */
export function findChromium(): string | undefined {
  const names = ["chromium", "chromium-browser", "google-chrome"];
  const files = (process.env.PATH ?? "").split(":").flatMap((folder) => names.map((name) => join(folder, name)));
  return files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Serves a page on which `import("/src/x.ts")` loads a file of the SDK; answers its origin. */
export async function servePage(t: TestContext): Promise<string> {
  const page = `<!doctype html><script type="importmap">{"imports":{"idb":"/idb.js"}}</script>`;
  const server = createServer(async (request, response) => {
    const [, name] = /^\/src\/([a-z-]+\.ts)$/.exec(request.url ?? "") ?? [];
    response.setHeader("content-type", name || request.url === "/idb.js" ? "text/javascript" : "text/html");
    if (name) response.end(stripTypeScriptTypes(await readFile(join(client, "src", name), "utf8")));
    else if (request.url === "/idb.js") response.end(await readFile(join(client, "node_modules/idb/build/index.js")));
    else response.end(page);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export interface Page {
  /** Runs the body of an async function there; throws what it throws. */
  run<T>(body: string): Promise<T>;
  command(method: string, params: object): Promise<void>;
}

/** Starts it on a profile's folder; `kill` is as hard as it can be. */
export async function startChromium(t: TestContext, program: string, profile: string) {
  const child = spawn(program, [...flags, `--user-data-dir=${profile}`, "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  const ended = once(child, "exit");
  const kill = async () => {
    // With the processes that it has started: they are a group.
    if (child.exitCode === null && child.signalCode === null && child.pid) process.kill(-child.pid, "SIGKILL");
    await ended;
  };
  t.after(kill);
  let address: string | undefined;
  for await (const line of createInterface({ input: child.stderr })) {
    address = /^DevTools listening on (ws:.*)$/.exec(line)?.[1];
    if (address) break;
  }
  child.stderr.resume();
  const { call, close } = await openDevTools(`${address}`);
  t.after(close);

  async function openPage(origin: string): Promise<Page> {
    const { targetId } = await call("Target.createTarget", { url: `${origin}/` });
    const { sessionId } = await call("Target.attachToTarget", { targetId, flatten: true });
    const run = async (body: string) => {
      // The page may not be there yet: it is waited for in the page itself.
      const expression = `(async () => { ${body} })()`;
      const parameters = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = await call("Runtime.evaluate", parameters, sessionId);
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    };
    while ((await run("return location.origin + document.readyState")) !== `${origin}complete`);
    return { run, command: (method, params) => call(method, params, sessionId) };
  }

  return { openPage, kill };
}

// biome-ignore lint/suspicious/noExplicitAny: the protocol's answers are what they are
type Answer = any;

async function openDevTools(address: string) {
  const socket = new WebSocket(address);
  await once(socket, "open");
  const waiting = new Map<number, PromiseWithResolvers<Answer>>();
  let last = 0;
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error } = JSON.parse(data);
    if (error) waiting.get(id)?.reject(new Error(error.message));
    else waiting.get(id)?.resolve(result);
    waiting.delete(id);
  });
  return {
    call(method: string, params: object, sessionId?: string): Promise<Answer> {
      last += 1;
      const answer = Promise.withResolvers<Answer>();
      waiting.set(last, answer);
      socket.send(JSON.stringify({ id: last, method, params, sessionId }));
      return answer.promise;
    },
    close: () => socket.close(),
  };
}
