// What V8 makes of buffers, which lie outside its heap.
import { setFlagsFromString } from "node:v8";

/**
 * Counts them in the limit of the heap. By itself V8 of Node 24 marks the whole heap after each 32 MiB of
 * them, however soon they were dropped: pages and large messages that pass through cost a router and the edge more than half of
 * their time. It is for services that much passes through: they keep up to 80 MiB more. Call it at the start.
 */
export function countBuffersAsHeap(nodeVersion: string): void {
  if (nodeVersion.startsWith("24.")) setFlagsFromString("--external-memory-accounted-in-global-limit");
}
