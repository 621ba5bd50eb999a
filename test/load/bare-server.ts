// A program of its own: takes every TCP connection, keeps it and does nothing. Sends its port to who forked it.
import { type AddressInfo, createServer } from "node:net";

const server = createServer((socket) => socket.on("error", () => {}));
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit());
