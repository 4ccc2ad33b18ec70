"""Who may use the HTTP API, and what for: RabbitMQ's user tags as roles.

administrator includes all others, monitoring and policymaker include management; impersonator is no role here.
"""

from collections.abc import Collection
from typing import Final

ADMINISTRATOR: Final = "administrator"
MONITORING: Final = "monitoring"
POLICYMAKER: Final = "policymaker"
MANAGEMENT: Final = "management"
# No login is needed.
ANYBODY: Final = "anybody"

ROLES: Final = (ADMINISTRATOR, MONITORING, POLICYMAKER, MANAGEMENT)

_INCLUDED: Final = {
    ADMINISTRATOR: frozenset(ROLES),
    MONITORING: frozenset({MONITORING, MANAGEMENT}),
    POLICYMAKER: frozenset({POLICYMAKER, MANAGEMENT}),
    MANAGEMENT: frozenset({MANAGEMENT}),
}

# What RabbitMQ answers to a user who lacks a role.
REFUSALS: Final = {
    ADMINISTRATOR: "Not administrator user",
    MONITORING: "Not monitor user",
    POLICYMAKER: "User not authorised to access object",
    MANAGEMENT: "Not management user",
}


def has_role(tags: Collection[str], role: str) -> bool:
    """Whether these tags make up for a role."""
    return role == ANYBODY or any(role in _INCLUDED[tag] for tag in tags if tag in _INCLUDED)
