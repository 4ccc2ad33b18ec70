"""The one thing a queue and an exchange share: a binding may lead to either."""


class Destination:
    """Something that a binding leads to."""

    __slots__ = ("name",)

    def __init__(self, name: bytes) -> None:
        self.name = name
