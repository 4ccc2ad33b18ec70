"""All scenarios by name."""

from collections.abc import Callable

from tests.conformance_http import (
    scenarios_access,
    scenarios_clients,
    scenarios_entities,
    scenarios_messages,
    scenarios_node,
    scenarios_rules,
)
from tests.conformance_http.play import Play

Scenario = Callable[[Play], None]

SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for module in (
        scenarios_entities,
        scenarios_messages,
        scenarios_clients,
        scenarios_access,
        scenarios_rules,
        scenarios_node,
    )
    for scenario in module.SCENARIOS
}
