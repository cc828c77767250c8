"""PURE: message brokers, by their images."""

from __future__ import annotations

from tasklib.stacks.servers.model import Login, Server, bitnami

__all__ = ["BROKERS"]

BROKERS: tuple[Server, ...] = (
    # hub.docker.com/_/rabbitmq. Its data goes by the host's name, so that another container starts anew.
    Server(
        "rabbitmq",
        ("rabbitmq",),
        ((5672, "amqp"), (15672, "http")),
        (Login(("RABBITMQ_DEFAULT_USER",), ("RABBITMQ_DEFAULT_PASS",), "guest"),),
        database=("RABBITMQ_DEFAULT_VHOST",),
        data=("/var/lib/rabbitmq",),
        in_memory=True,
        official=("rabbitmq",),
        volumes=((0, ("/var/lib/rabbitmq",)),),
    ),
    # github.com/bitnami/containers, rabbitmq.
    Server(
        "rabbitmq",
        bitnami("rabbitmq"),
        ((5672, "amqp"), (15672, "http")),
        (Login(("RABBITMQ_USERNAME",), ("RABBITMQ_PASSWORD",), "user"),),
        database=("RABBITMQ_VHOST",),
        data=("/bitnami/rabbitmq",),
        in_memory=True,
    ),
    # docs.nats.io, nats-server flags; 8222 is its monitoring.
    Server(
        "nats",
        ("nats",),
        ((4222, "nats"), (8222, "http")),
        user_options=("--user",),
        password_options=("--pass",),
    ),
    # mosquitto.org/man and docs.emqx.com: 9001, 8083 are MQTT over WebSocket, 18083 is a dashboard.
    Server("mqtt", ("eclipse-mosquitto", "mosquitto"), ((1883, "mqtt"), (9001, "ws"))),
    Server("mqtt", ("emqx",), ((1883, "mqtt"), (8083, "ws"), (18083, "http"))),
    # kafka.apache.org/documentation (docker); the others listen on the same port.
    Server("kafka", ("kafka", "cp-kafka", "cp-server", "kafka-native"), ((9092, "kafka"),)),
    # docs.redpanda.com: 8081 is the schema registry, 8082 the HTTP proxy, 9644 the admin API.
    Server("kafka", ("redpanda",), ((9092, "kafka"), (8081, "http"), (8082, "http"), (9644, "http"))),
)
