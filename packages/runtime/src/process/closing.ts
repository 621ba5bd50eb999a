// Which steps of a shutdown are under way, so that the log can say what hung.

export interface Closing {
  /** Runs a named step; its name is in `open()` until it has ended. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** The names of the steps that have not ended. */
  open(): string[];
}

export function openClosing(): Closing {
  const open = new Map<symbol, string>();
  return {
    async step(name, work) {
      const token = Symbol(name);
      open.set(token, name);
      try {
        return await work();
      } finally {
        open.delete(token);
      }
    },
    open: () => [...open.values()],
  };
}
