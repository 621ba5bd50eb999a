// libmosquitto, MQTT 3.1.1.
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *topics[8];
static int topic_count;

static void say(const char *text) {
  puts(text);
  fflush(stdout);
}

static void on_connect(struct mosquitto *client, void *context, int code) {
  (void)context;
  if (code == 0) mosquitto_subscribe_multiple(client, NULL, topic_count, topics, 1, 0, NULL);
  else say("log refused");
}

static void on_subscribe(struct mosquitto *client, void *context, int id, int count, const int *granted) {
  (void)client, (void)context, (void)id, (void)count, (void)granted;
  say("up");
}

static void on_disconnect(struct mosquitto *client, void *context, int code) {
  (void)client, (void)context, (void)code;
  say("down");
}

static void on_message(struct mosquitto *client, void *context, const struct mosquitto_message *message) {
  (void)client, (void)context;
  printf("in %s %.*s\n", message->topic, message->payloadlen, (char *)message->payload);
  fflush(stdout);
}

int main(void) {
  for (char *topic = strtok(getenv("MQTT_SUBSCRIBE"), " "); topic && topic_count < 8; topic = strtok(NULL, " "))
    topics[topic_count++] = topic;
  mosquitto_lib_init();
  struct mosquitto *client = mosquitto_new(getenv("MQTT_CLIENT_ID"), false, NULL);
  mosquitto_username_pw_set(client, getenv("MQTT_USER"), getenv("MQTT_PASSWORD"));
  mosquitto_connect_callback_set(client, on_connect);
  mosquitto_subscribe_callback_set(client, on_subscribe);
  mosquitto_disconnect_callback_set(client, on_disconnect);
  mosquitto_message_callback_set(client, on_message);
  mosquitto_reconnect_delay_set(client, 1, 10, true);
  mosquitto_connect_async(client, getenv("MQTT_HOST"), atoi(getenv("MQTT_PORT")), 60);
  mosquitto_loop_start(client);
  char *line = NULL;
  size_t size = 0;
  for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
    line[length - 1] = 0;
    char *topic = strchr(line, ' ');
    char *payload = topic ? strchr(topic + 1, ' ') : NULL;
    if (!payload) continue;
    *payload++ = 0;
    int outcome = mosquitto_publish(client, NULL, topic + 1, strlen(payload), payload, 1, false);
    if (outcome != MOSQ_ERR_SUCCESS) printf("log publish: %s\n", mosquitto_strerror(outcome));
  }
  return 0;
}
