// Work that is done again and again, sooner when something calls for it.

/** Runs `work` now and again `pauseMs()` (± 10 %) after it has ended. Work that takes long asks whether it was `stopped`. */
export function repeat(work: (stopped: () => boolean) => Promise<void>, pauseMs: () => number) {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let hurried = false;
  let following = Promise.withResolvers<void>();

  const schedule = (ms: number) => {
    clearTimeout(timer);
    if (stopped) following.resolve();
    else timer = setTimeout(run, ms);
  };
  const run = () => {
    const { resolve } = following;
    following = Promise.withResolvers<void>();
    hurried = false;
    running = work(() => stopped).then(() => {
      running = undefined;
      resolve();
      schedule(hurried ? 0 : pauseMs() * (0.9 + Math.random() * 0.2));
    });
  };
  const soon = (ms: number) => {
    if (hurried) return;
    hurried = true;
    if (!running) schedule(ms);
  };
  run();
  return {
    /** Runs within `ms`; when it is running already, again behind that. */
    soon,
    /** Resolves when a run that begins after this call has ended. */
    next() {
      soon(0);
      return following.promise;
    },
    /** Resolves when no run is under way. */
    settled: async () => running,
    async stop() {
      stopped = true;
      if (!running) schedule(0);
      await running;
    },
  };
}
