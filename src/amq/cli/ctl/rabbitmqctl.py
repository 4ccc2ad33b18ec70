"""`amq rabbitmqctl`."""

from amq.cli.ctl.tool import rabbitmqctl as command

__all__ = ["command"]
