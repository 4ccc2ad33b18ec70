"""How many runtime parameters of a component there may be (`runtime_parameters.limits.*`), over all vhosts."""

from amq.broker import Broker
from amq.vhost.parameters import OPERATOR_POLICY, POLICY, VHOST_LIMITS, ParameterError
from amq.vhost.vhost import Vhost


def check_room(broker: Broker, component: str, added: int = 1) -> None:
    """Raise ParameterError, in RabbitMQ's words, where `added` more would be too many."""
    most = broker.settings.parameter_limits.get(component, -1)
    if most >= 0 and sum(_count(vhost, component) for vhost in broker.vhosts.values()) + added > most:
        raise ParameterError(f"component {component} is limited to {most} per node")


def _count(vhost: Vhost, component: str) -> int:
    if component == POLICY:
        return len(vhost.policies.all())
    if component == OPERATOR_POLICY:
        return len(vhost.operator_policies.all())
    if component == VHOST_LIMITS:
        return 1 if vhost.limits else 0
    return sum(1 for found, _ in vhost.parameters if found == component)
