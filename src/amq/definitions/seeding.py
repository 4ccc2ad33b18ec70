"""What a new vhost comes with by configuration: limits, operator policies, and users who may enter it.

RabbitMQ's `default_limits.vhosts.*`, `default_policies.operator.*` and `default_users.*`. Each entry names the vhosts
that it is for by a pattern; of several limits that match, the first by name counts.
"""

from amq.auth.users import User
from amq.broker import Broker
from amq.config.seeds import DefaultPolicy, DefaultUser
from amq.lang.pattern import compile_pattern
from amq.vhost import parameters
from amq.vhost.permission import Permission
from amq.vhost.policy import Policy
from amq.vhost.vhost import Vhost


class SeedingError(ValueError):
    """A vhost cannot be made; the text is RabbitMQ's."""


def new_vhost(broker: Broker, name: str) -> Vhost:
    """A vhost under a name that is free, with what the configuration gives it.

    Raises SeedingError when there are as many as may be (`vhost_max`).
    """
    most = broker.settings.limits.vhosts
    if most is not None and len(broker.vhosts) >= most:
        raise SeedingError(f"cannot create vhost '{name}': vhost limit of {most} is reached")
    vhost = broker.add_vhost(name)
    seed(broker, vhost)
    return vhost


def add_defaults(broker: Broker) -> None:
    """The default user and vhost, with what the configuration has for that."""
    broker.add_defaults()
    seed(broker, broker.vhosts[broker.settings.default_vhost])


def seed(broker: Broker, vhost: Vhost) -> None:
    """Give a vhost what the configuration has for it."""
    settings = broker.settings
    for limits in settings.default_limits:
        if _matches(limits.pattern, vhost.name):
            parameters.set_limits(vhost, limits.limits())
            break
    for given in settings.default_policies:
        if _matches(given.vhost_pattern, vhost.name):
            vhost.operator_policies.set(policy_of(given))
    for user in settings.default_users:
        if _matches(user.vhost_pattern, vhost.name):
            _seed_user(broker, vhost, user)


def policy_of(given: DefaultPolicy) -> Policy:
    """The operator policy that an entry means. Raises PolicyError."""
    return Policy(given.name, given.queue_pattern, given.definition, 0, given.apply_to, operator=True)


def _seed_user(broker: Broker, vhost: Vhost, given: DefaultUser) -> None:
    if given.name not in broker.users:
        if given.password is None:
            broker.users.put(User(given.name, tags=given.tags))
        else:
            broker.users.add(given.name, given.password, given.tags, broker.users.algorithm)
    vhost.permissions.set(given.name, Permission(given.configure, given.write, given.read))


def _matches(pattern: str, name: str) -> bool:
    return bool(compile_pattern(pattern).search(name.encode("utf-8", "surrogatepass")))
