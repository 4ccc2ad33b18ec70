"""`amq rabbitmq-diagnostics`."""

from amq.cli.ctl.tool import rabbitmq_diagnostics as command

__all__ = ["command"]
