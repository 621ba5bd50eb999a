#!/usr/bin/env bash
# HiveMQ MQTT Client 1.3.5 (com.hivemq:hivemq-mqtt-client, Maven Central; Java 17).
#
# A user name and password given to connectWith().simpleAuth() are sent with the first CONNECT only. Every CONNECT of
# automaticReconnectWithDefaultConfig() comes without them, so after one lost connection the client is refused for ever by a
# broker that asks for a password, while the application, which did log in, sees only failed reconnections. Given to the
# builder (Mqtt5Client.builder().simpleAuth()) the same credentials are sent each time.
#
# Prints whether the first and the second CONNECT (after the broker closed the connection) had the user name flag. Seen:
#   connectWith: [true, false]
#   builder: [true, true]
# This script fails when that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > pom.xml <<'POM'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>com.hivemq</groupId><artifactId>hivemq-mqtt-client</artifactId><version>1.3.5</version></dependency>
  </dependencies>
</project>
POM
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib
cat > Finding.java <<'JAVA'
import com.hivemq.client.mqtt.mqtt5.Mqtt5Client;
import com.hivemq.client.mqtt.mqtt5.Mqtt5ClientBuilder;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;

public class Finding {
  /** Accepts twice: reads a CONNECT, says CONNACK, and closes. Answers whether each CONNECT had the user name flag. */
  static List<Boolean> connects(boolean onBuilder) throws Exception {
    var seen = new ArrayList<Boolean>();
    try (var server = new ServerSocket(0)) {
      server.setSoTimeout(60_000);
      Mqtt5ClientBuilder builder =
          Mqtt5Client.builder()
              .identifier("finding")
              .serverHost("127.0.0.1")
              .serverPort(server.getLocalPort())
              .automaticReconnectWithDefaultConfig();
      if (onBuilder) builder = builder.simpleAuth().username("u").password("p".getBytes()).applySimpleAuth();
      var client = builder.buildAsync();
      var connect = client.connectWith();
      if (onBuilder) connect.send();
      else connect.simpleAuth().username("u").password("p".getBytes()).applySimpleAuth().send();
      for (int n = 0; n < 2; n++) {
        try (var socket = server.accept()) {
          byte[] packet = new byte[256];
          socket.getInputStream().read(packet);
          // Fixed header (2 bytes here), "MQTT" with its length, version, then the connect flags.
          seen.add((packet[9] & 0x80) != 0);
          socket.getOutputStream().write(new byte[] {0x20, 3, 0, 0, 0});
          socket.getOutputStream().flush();
          Thread.sleep(200);
        }
      }
    }
    return seen;
  }

  public static void main(String[] args) throws Exception {
    System.out.println("connectWith: " + connects(false));
    System.out.println("builder: " + connects(true));
    System.exit(0);
  }
}
JAVA
javac -cp 'lib/*' Finding.java
seen=$(java -cp 'lib/*:.' Finding 2>/dev/null)
echo "$seen"
expected=$'connectWith: [true, false]\nbuilder: [true, true]'
[ "$seen" = "$expected" ] || { echo "this has changed; it was:"; echo "$expected"; exit 1; }
