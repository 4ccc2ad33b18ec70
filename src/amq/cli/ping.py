"""`amq ping`: whether the broker answers."""

import time

from amq.cli.ask.command import Session, asking


@asking(None, "ping", "check that the broker answers", more="Status 0 if it does, 69 if not.")
def command(session: Session) -> None:
    """Ask who we are: that needs nothing but an answer and a login."""
    began = time.monotonic()
    session.broker.get("whoami")
    session.out.say(f"{session.broker.target.shown} answers in {(time.monotonic() - began) * 1000:.0f} ms")
