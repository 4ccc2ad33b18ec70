"""What a connection that is gone leaves to be deleted: its exclusive queues, which may be ten thousand."""

from typing import Final

from amq.chores import Chore
from amq.queues.base import Queue
from amq.vhost import topology
from amq.vhost.vhost import Vhost

# Queues that are deleted in one go: about a millisecond and a half.
QUEUES: Final = 64


class Leaving(Chore):
    """Deletes queues in slices. Nobody finds them any more from the start, and their names are free."""

    __slots__ = ("vhost", "queues")

    def __init__(self, vhost: Vhost, queues: list[Queue]) -> None:
        self.vhost = vhost
        self.queues = queues
        topology.unlist(vhost, queues)

    def slice(self) -> bool:
        for queue in self.queues[-QUEUES:]:
            topology.delete_queue(self.vhost, queue)
        del self.queues[-QUEUES:]
        return not self.queues
