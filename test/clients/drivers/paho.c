// Eclipse Paho C, the asynchronous client (MQTTAsync), MQTT 3.1.1.
#include <MQTTAsync.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static MQTTAsync client;
static char *topics[8];
static int topic_count;
static int qos[8] = {1, 1, 1, 1, 1, 1, 1, 1};

static void say(const char *text) {
  puts(text);
  fflush(stdout);
}

static void on_subscribed(void *context, MQTTAsync_successData *data) {
  (void)context, (void)data;
  say("up");
}

static void on_connected(void *context, char *cause) {
  (void)context, (void)cause;
  MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
  options.onSuccess = on_subscribed;
  MQTTAsync_subscribeMany(client, topic_count, topics, qos, &options);
}

static void on_lost(void *context, char *cause) {
  (void)context, (void)cause;
  say("down");
}

static int on_message(void *context, char *topic, int length, MQTTAsync_message *message) {
  (void)context, (void)length;
  printf("in %s %.*s\n", topic, message->payloadlen, (char *)message->payload);
  fflush(stdout);
  MQTTAsync_freeMessage(&message);
  MQTTAsync_free(topic);
  return 1;
}

static void connect_first(void *context, MQTTAsync_failureData *failure) {
  (void)context;
  if (failure) say("log the first connection failed");
  MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
  options.cleansession = 0;
  options.username = getenv("MQTT_USER");
  options.password = getenv("MQTT_PASSWORD");
  options.automaticReconnect = 1;
  options.minRetryInterval = 1;
  options.maxRetryInterval = 10;
  options.maxInflight = 100;
  options.onFailure = connect_first;
  MQTTAsync_connect(client, &options);
}

int main(void) {
  char uri[256];
  snprintf(uri, sizeof uri, "tcp://%s:%s", getenv("MQTT_HOST"), getenv("MQTT_PORT"));
  for (char *topic = strtok(getenv("MQTT_SUBSCRIBE"), " "); topic && topic_count < 8; topic = strtok(NULL, " "))
    topics[topic_count++] = topic;
  MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
  options.sendWhileDisconnected = 1;
  options.maxBufferedMessages = 1000;
  MQTTAsync_createWithOptions(&client, uri, getenv("MQTT_CLIENT_ID"), MQTTCLIENT_PERSISTENCE_NONE, NULL, &options);
  MQTTAsync_setCallbacks(client, NULL, on_lost, on_message, NULL);
  MQTTAsync_setConnected(client, NULL, on_connected);
  connect_first(NULL, NULL);
  char *line = NULL;
  size_t size = 0;
  for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
    line[length - 1] = 0;
    char *topic = strchr(line, ' ');
    char *payload = topic ? strchr(topic + 1, ' ') : NULL;
    if (!payload) continue;
    *payload++ = 0;
    int outcome = MQTTAsync_send(client, topic + 1, strlen(payload), payload, 1, 0, NULL);
    if (outcome != MQTTASYNC_SUCCESS) printf("log send: %d\n", outcome);
  }
  return 0;
}
