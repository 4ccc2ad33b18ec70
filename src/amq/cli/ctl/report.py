"""rabbitmqctl report: everything that helps to find a fault, one after the other."""

from typing import Any, Final

from amq.cli.ask.broker import Refused
from amq.cli.ctl import acting, listings, rules, users, vhosts
from amq.cli.ctl.nodes import environment
from amq.cli.ctl.results import Result, VerbError, show
from amq.cli.ctl.status import cluster_status, status
from amq.cli.ctl.users import BOTH
from amq.cli.ctl.verb import Call, Verb


def report(call: Call) -> Result:
    """Everything that helps to find a fault, one after the other."""
    call.say(f"Reporting server status of node {call.node} ...")
    for function in (status, cluster_status, environment, listings.list_connections, listings.list_channels):
        _part(call, function)
    for vhost in [row["name"] for row in call.rows("vhosts")]:
        inside = Call(call.broker, (), {**call.options, "vhost": vhost}, call.formatter)
        for function in (
            listings.list_queues,
            listings.list_exchanges,
            listings.list_bindings,
            listings.list_consumers,
            users.list_permissions,
            rules.list_policies,
            rules.list_parameters,
            rules.list_vhost_limits,
        ):
            _part(inside, function)
    for function in (rules.list_global_parameters, acting.list_feature_flags, users.list_users, vhosts.list_vhosts):
        _part(call, function)
    return None


def _part(call: Call, function: Any) -> None:
    try:
        show(function(call), call.formatter, header=True)
    except (Refused, VerbError) as error:
        print(f"({error})")
    print()


VERBS: Final = (Verb("report", "", "shows everything that helps to find a fault", report, tools=BOTH),)
