"""How many connections and channels are open, in all and by user and vhost: what limits are compared with."""


class Occupancy:
    """Plain ints; a name without any is not in its dict."""

    __slots__ = ("connections", "channels", "of_vhost", "of_user", "channels_of_user")

    def __init__(self) -> None:
        self.connections: int = 0
        self.channels: int = 0
        # Connections by vhost and by user, channels by user.
        self.of_vhost: dict[str, int] = {}
        self.of_user: dict[str, int] = {}
        self.channels_of_user: dict[str, int] = {}

    def opened(self, vhost: str, user: str) -> None:
        """A connection to a vhost was opened."""
        self.connections += 1
        _add(self.of_vhost, vhost, 1)
        _add(self.of_user, user, 1)

    def closed(self, vhost: str, user: str, channels: int) -> None:
        """It is gone, with so many channels."""
        self.connections -= 1
        _add(self.of_vhost, vhost, -1)
        _add(self.of_user, user, -1)
        self.channel_closed(user, channels)

    def channel_opened(self, user: str) -> None:
        """A channel was opened."""
        self.channels += 1
        _add(self.channels_of_user, user, 1)

    def channel_closed(self, user: str, count: int = 1) -> None:
        """So many channels of one user are gone."""
        if count:
            self.channels -= count
            _add(self.channels_of_user, user, -count)


def _add(counts: dict[str, int], name: str, change: int) -> None:
    count = counts.get(name, 0) + change
    if count:
        counts[name] = count
    else:
        del counts[name]
