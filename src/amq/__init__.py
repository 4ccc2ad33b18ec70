"""An AMQP 0-9-1 message broker in Python."""
