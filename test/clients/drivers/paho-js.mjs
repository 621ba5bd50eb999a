// paho-mqtt of npm, which is made for browsers: Node has its WebSocket, `localStorage` is a Map here.
import { createRequire } from "node:module";
import { join } from "node:path";
import { account, listen, say } from "./lines.mjs";

const kept = new Map();
globalThis.localStorage ??= {
  get length() {
    return kept.size;
  },
  key: (index) => [...kept.keys()][index] ?? null,
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => kept.set(key, value),
  removeItem: (key) => kept.delete(key),
};
const { Client } = createRequire(join(process.env.CLIENT_DIR, "index.js"))("paho-mqtt");
const { ws, username, password, clientId, topics } = account;
const client = new Client(ws, clientId);
let subscribed = 0;

client.onConnected = () => {
  subscribed = 0;
  for (const topic of topics)
    client.subscribe(topic, {
      qos: 1,
      onSuccess: () => ++subscribed === topics.length && say("up"),
      onFailure: ({ errorMessage }) => say("log", errorMessage),
    });
};
client.onConnectionLost = ({ errorMessage }) => say("down", errorMessage);
client.onMessageArrived = ({ destinationName, payloadString }) => say("in", destinationName, payloadString);

// Its own reconnection begins after a first connection.
function connect() {
  client.connect({
    userName: username,
    password,
    cleanSession: false,
    reconnect: true,
    onFailure: ({ errorMessage }) => {
      say("log", errorMessage);
      setTimeout(connect, 1_000);
    },
  });
}
connect();
listen((topic, payload) => {
  try {
    client.send(topic, payload, 1);
  } catch (error) {
    say("log", error.message);
  }
});
