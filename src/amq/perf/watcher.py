"""Who looks on while a load runs: the contract of the live views."""

from amq.perf.load import Load
from amq.perf.result import Interval, Result


class Watcher:
    """Is told what happens, in this order; each does nothing here. They are called between messages: be quick."""

    def starts(self, load: Load, product: str, version: str) -> None:
        """Everybody is connected, the first message is about to be published."""

    def interval(self, interval: Interval) -> None:
        """An interval is over."""

    def notes(self, text: str) -> None:
        """Something that whoever looks on should know: a connection is blocked, a consumer was cancelled."""

    def ends(self, result: Result) -> None:
        """It is over, in good order or with `result.errors`."""

    def close(self) -> None:
        """Whatever happened, nothing more will."""
