"""All endpoints: the tables of the modules that answer, one after the other."""

from typing import Final

from amq.management import identity
from amq.management.endpoint import Endpoint

ENDPOINTS: Final[tuple[Endpoint, ...]] = (*identity.TABLE,)
