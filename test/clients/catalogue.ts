// The stock clients: each library with its pinned version, how its driver is built and run, and the settings that matter.
import { join } from "node:path";
import type { Step } from "../run-step.ts";

export interface StockClient {
  /** on the command line of `npm run clients` */
  name: string;
  library: string;
  /** MQTT 3.1.1 is 4 */
  version: 4 | 5;
  /** of the driver, beside it; the first one is the driver itself */
  sources: string[];
  /** programs that must be there; a client whose are not is left out with a word */
  needs: string[];
  /** Debian packages that must be there, by a file of each */
  headers?: { file: string; apt: string };
  install(folder: string): Step[];
  run(folder: string): Step;
  /** what an author should know, for docs/clients.md */
  settings: string;
  /** publishes by a device of its own, so that its acks are its messages on the user's topic */
  publishesApart?: true;
}

const node = (driver: string) => (folder: string) => ({ program: process.execPath, args: [join(folder, driver)] });
const python = (driver: string) => (folder: string) => ({
  program: join(folder, "venv/bin/python"),
  args: [join(folder, driver)],
});
const java = (main: string) => (folder: string) => ({
  program: "java",
  args: ["-Xmx96m", "-XX:+UseSerialGC", "-cp", `${join(folder, "lib")}/*:${folder}`, main],
});
const npmInstall =
  (...packages: string[]) =>
  (folder: string): Step[] => [
    { program: "npm", args: ["install", "--prefix", folder, "--no-audit", "--no-fund", "--no-save", ...packages] },
  ];
const pipInstall =
  (...packages: string[]) =>
  (folder: string): Step[] => [
    { program: "python3", args: ["-m", "venv", join(folder, "venv")] },
    { program: join(folder, "venv/bin/pip"), args: ["install", "--quiet", "--disable-pip-version-check", ...packages] },
  ];
const gcc =
  (source: string, library: string) =>
  (folder: string): Step[] => [
    { program: "gcc", args: ["-O1", "-o", join(folder, "driver"), join(folder, source), `-l${library}`] },
  ];
const maven =
  (source: string) =>
  (folder: string): Step[] => [
    { program: "mvn", args: ["-q", "-B", "-f", folder, "dependency:copy-dependencies", "-DoutputDirectory=lib"] },
    { program: "javac", args: ["-cp", `${join(folder, "lib")}/*`, "-d", folder, join(folder, source)] },
  ];
const go =
  (...modules: string[]) =>
  (folder: string): Step[] => [
    { program: "go", args: ["-C", folder, "mod", "init", "driver"] },
    ...modules.map((module) => ({ program: "go", args: ["-C", folder, "get", module] })),
    { program: "go", args: ["-C", folder, "build", "-o", "driver", "."] },
  ];
const binary = (folder: string): Step => ({ program: join(folder, "driver"), args: [] });

export const clients: StockClient[] = [
  {
    name: "mqttjs5",
    library: "MQTT.js 5.16.0 (npm)",
    version: 5,
    sources: ["mqttjs.mjs", "lines.mjs"],
    needs: ["npm"],
    install: npmInstall("mqtt@5.16.0"),
    run: node("mqttjs.mjs"),
    settings: "`clean: false`, `properties.sessionExpiryInterval: 3600`, `protocolVersion: 5`; waits 1 s",
  },
  {
    name: "mqttjs4",
    library: "MQTT.js 4.3.8 (npm)",
    version: 4,
    sources: ["mqttjs.mjs", "lines.mjs"],
    needs: ["npm"],
    install: npmInstall("mqtt@4.3.8"),
    run: node("mqttjs.mjs"),
    settings: "`clean: false`; waits 1 s",
  },
  {
    name: "paho-js",
    library: "Paho JavaScript 1.1.0 (npm paho-mqtt), WebSocket",
    version: 4,
    sources: ["paho-js.mjs", "lines.mjs"],
    needs: ["npm"],
    install: npmInstall("paho-mqtt@1.1.0"),
    run: node("paho-js.mjs"),
    settings: "`cleanSession: false`, `reconnect: true` (only after a first connection); waits 1, 2, 4 … 128 s",
  },
  {
    name: "paho-python",
    library: "Paho Python 2.1.0 (PyPI paho-mqtt)",
    version: 4,
    sources: ["paho_python.py", "account.py"],
    needs: ["python3"],
    install: pipInstall("paho-mqtt==2.1.0"),
    run: python("paho_python.py"),
    settings: "`clean_session=False`, `reconnect_delay_set(1, 10)`, `loop_start`; waits 1, 2, 4 … 10 s",
  },
  {
    name: "paho-python5",
    library: "Paho Python 2.1.0, MQTT 5",
    version: 5,
    sources: ["paho_python.py", "account.py"],
    needs: ["python3"],
    install: pipInstall("paho-mqtt==2.1.0"),
    run: python("paho_python.py"),
    settings: "`clean_start=False` with `SessionExpiryInterval`; waits 1, 2, 4 … 10 s",
  },
  {
    name: "aiomqtt",
    library: "aiomqtt 2.5.1 (PyPI)",
    version: 4,
    sources: ["aiomqtt_driver.py", "account.py"],
    needs: ["python3"],
    install: pipInstall("aiomqtt==2.5.1"),
    run: python("aiomqtt_driver.py"),
    settings: "`clean_session=False`, a loop of one's own around `async with Client`; that loop waits 1 s",
  },
  {
    name: "gmqtt",
    library: "gmqtt 0.8.0 (PyPI)",
    version: 5,
    sources: ["gmqtt_driver.py", "account.py"],
    needs: ["python3"],
    install: pipInstall("gmqtt==0.8.0"),
    run: python("gmqtt_driver.py"),
    settings: "`clean_session=False`, `session_expiry_interval=3600`; waits 6 s",
  },
  {
    name: "paho-c",
    library: "Paho C, MQTTAsync (Debian libpaho-mqtt-dev)",
    version: 4,
    sources: ["paho.c"],
    needs: ["gcc"],
    headers: { file: "/usr/include/MQTTAsync.h", apt: "libpaho-mqtt-dev" },
    install: gcc("paho.c", "paho-mqtt3a"),
    run: binary,
    settings:
      "`cleansession = 0`, `automaticReconnect`, `sendWhileDisconnected`, `maxInflight = 100`; waits 1, 2, 4 … 10 s",
  },
  {
    name: "libmosquitto",
    library: "libmosquitto (Debian libmosquitto-dev)",
    version: 4,
    sources: ["libmosquitto.c"],
    needs: ["gcc"],
    headers: { file: "/usr/include/mosquitto.h", apt: "libmosquitto-dev" },
    install: gcc("libmosquitto.c", "mosquitto"),
    run: binary,
    settings: "`clean_session` false, `mosquitto_reconnect_delay_set(1, 10, true)`, `loop_start`; waits 1, 4, 9, 10 s",
  },
  {
    name: "mosquitto",
    library: "mosquitto_sub, mosquitto_pub (Debian mosquitto-clients)",
    version: 4,
    sources: ["mosquitto.mjs", "lines.mjs"],
    needs: ["mosquitto_sub", "mosquitto_pub", "stdbuf"],
    install: () => [],
    run: node("mosquitto.mjs"),
    settings: "`mosquitto_sub -c` and a `mosquitto_pub` a message, each with a device of its own; waits 1, 2, 4 … 30 s",
    publishesApart: true,
  },
  {
    name: "mosquitto5",
    library: "mosquitto_sub, mosquitto_pub `-V 5`",
    version: 5,
    sources: ["mosquitto.mjs", "lines.mjs"],
    needs: ["mosquitto_sub", "mosquitto_pub", "stdbuf"],
    install: () => [],
    run: node("mosquitto.mjs"),
    settings: "`mosquitto_sub -c -x 3600 -V 5`; waits 1, 2, 4 … 30 s",
    publishesApart: true,
  },
  {
    name: "paho-java",
    library: "Paho Java 1.2.5 (Maven org.eclipse.paho.client.mqttv3)",
    version: 4,
    sources: ["PahoJava.java", "paho-java/pom.xml"],
    needs: ["java", "javac", "mvn"],
    install: maven("PahoJava.java"),
    run: java("PahoJava"),
    settings:
      "`setCleanSession(false)`, `setAutomaticReconnect(true)` (only after a first connection), `setMaxInflight(100)`, a disconnected buffer; waits 1, 2, 4 … 10 s",
  },
  {
    name: "hivemq",
    library: "HiveMQ MQTT Client 1.3.5 (Maven com.hivemq)",
    version: 5,
    sources: ["HiveMq.java", "hivemq/pom.xml"],
    needs: ["java", "javac", "mvn"],
    install: maven("HiveMq.java"),
    run: java("HiveMq"),
    settings:
      "`cleanStart(false)`, `sessionExpiryInterval(3600)`, `automaticReconnectWithDefaultConfig`, `simpleAuth` on the builder (what `connectWith()` is given is not used when it reconnects); waits 1, 2, 4 … 120 s",
  },
  {
    name: "paho-go",
    library: "Paho Go 1.5.1 (github.com/eclipse/paho.mqtt.golang)",
    version: 4,
    sources: ["paho-go/main.go"],
    needs: ["go"],
    install: go("github.com/eclipse/paho.mqtt.golang@v1.5.1"),
    run: binary,
    settings: "`SetCleanSession(false)`, `SetConnectRetry(true)`, `SetMaxReconnectInterval`; waits 1, 2, 4 … 10 s",
  },
  {
    name: "autopaho",
    library: "Paho Go for MQTT 5, autopaho 0.23.0 (github.com/eclipse/paho.golang)",
    version: 5,
    sources: ["autopaho/main.go"],
    needs: ["go"],
    install: go("github.com/eclipse/paho.golang/autopaho@v0.23.0"),
    run: binary,
    settings: "`CleanStartOnInitialConnection: false`, `SessionExpiryInterval`, `PublishViaQueue`; waits 10 s",
  },
  {
    name: "rumqttc",
    library: "rumqttc 0.25.1 (crates.io)",
    version: 4,
    sources: ["rumqttc/src/main.rs", "rumqttc/Cargo.toml"],
    needs: ["cargo"],
    install: (folder) => [
      { program: "cargo", args: ["build", "--quiet", "--release", "--manifest-path", join(folder, "Cargo.toml")] },
    ],
    run: (folder) => ({ program: join(folder, "target/release/rumqttc-driver"), args: [] }),
    settings:
      "`set_clean_session(false)`, `set_max_packet_size` (default 10 KiB), a loop of one's own around `poll`; that loop waits 1 s",
  },
];
