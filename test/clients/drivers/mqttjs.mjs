// MQTT.js 4 and 5.
import { createRequire } from "node:module";
import { join } from "node:path";
import { account, listen, say } from "./lines.mjs";

const mqtt = createRequire(join(process.env.CLIENT_DIR, "index.js"))("mqtt");
const { host, port, username, password, clientId, topics } = account;
const client = mqtt.connect(`mqtt://${host}:${port}`, {
  clientId,
  username,
  password,
  clean: false,
  reconnectPeriod: 1_000,
  protocolVersion: Number(process.env.MQTT_VERSION),
  ...(process.env.MQTT_VERSION === "5" && { properties: { sessionExpiryInterval: 3_600 } }),
});
client.on("connect", () => client.subscribe(topics, { qos: 1 }, (error) => say(error ? `log ${error}` : "up")));
client.on("message", (topic, payload) => say("in", topic, payload));
client.on("close", () => say("down"));
client.on("error", (error) => say("log", error.message));
listen((topic, payload) => client.publish(topic, payload, { qos: 1 }, (error) => error && say("log", error.message)));
