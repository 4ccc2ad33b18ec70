"""What is open now."""

from amq.auth.occupancy import Occupancy


def test_connections_and_channels_are_counted_in_all_and_by_whose_they_are() -> None:
    occupancy = Occupancy()
    occupancy.opened("/", "app")
    occupancy.opened("shop", "app")
    occupancy.opened("shop", "guest")
    for user in ("app", "app", "guest"):
        occupancy.channel_opened(user)
    assert (occupancy.connections, occupancy.channels) == (3, 3)
    assert occupancy.of_vhost == {"/": 1, "shop": 2}
    assert occupancy.of_user == {"app": 2, "guest": 1}
    assert occupancy.channels_of_user == {"app": 2, "guest": 1}


def test_nothing_is_left_of_what_is_gone() -> None:
    occupancy = Occupancy()
    occupancy.opened("/", "app")
    for _ in range(3):
        occupancy.channel_opened("app")
    occupancy.channel_closed("app")
    occupancy.closed("/", "app", 2)
    assert (occupancy.connections, occupancy.channels) == (0, 0)
    assert (occupancy.of_vhost, occupancy.of_user, occupancy.channels_of_user) == ({}, {}, {})
