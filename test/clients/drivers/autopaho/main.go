// Eclipse Paho Go for MQTT 5 (paho.golang, its autopaho).
package main

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

func main() {
	server, _ := url.Parse(fmt.Sprintf("mqtt://%s:%s", os.Getenv("MQTT_HOST"), os.Getenv("MQTT_PORT")))
	subscribe := &paho.Subscribe{}
	for _, topic := range strings.Fields(os.Getenv("MQTT_SUBSCRIBE")) {
		subscribe.Subscriptions = append(subscribe.Subscriptions, paho.SubscribeOptions{Topic: topic, QoS: 1})
	}
	connection, err := autopaho.NewConnection(context.Background(), autopaho.ClientConfig{
		ServerUrls:                    []*url.URL{server},
		KeepAlive:                     60,
		CleanStartOnInitialConnection: false,
		SessionExpiryInterval:         3600,
		ConnectUsername:               os.Getenv("MQTT_USER"),
		ConnectPassword:               []byte(os.Getenv("MQTT_PASSWORD")),
		OnConnectionUp: func(manager *autopaho.ConnectionManager, _ *paho.Connack) {
			if _, err := manager.Subscribe(context.Background(), subscribe); err == nil {
				fmt.Println("up")
			}
		},
		OnConnectError: func(err error) { fmt.Println("log", strings.ReplaceAll(err.Error(), "\n", " ")) },
		OnConnectionDown: func() bool {
			fmt.Println("down")
			return true
		},
		ClientConfig: paho.ClientConfig{
			ClientID: os.Getenv("MQTT_CLIENT_ID"),
			OnPublishReceived: []func(paho.PublishReceived) (bool, error){
				func(received paho.PublishReceived) (bool, error) {
					fmt.Println("in", received.Packet.Topic, string(received.Packet.Payload))
					return true, nil
				},
			},
		},
	})
	if err != nil {
		panic(err)
	}
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		connection.PublishViaQueue(context.Background(), &autopaho.QueuePublish{
			Publish: &paho.Publish{Topic: words[1], QoS: 1, Payload: []byte(words[2])},
		})
	}
}
