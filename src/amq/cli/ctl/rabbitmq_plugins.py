"""`amq rabbitmq-plugins`."""

from amq.cli.ctl.tool import rabbitmq_plugins as command

__all__ = ["command"]
