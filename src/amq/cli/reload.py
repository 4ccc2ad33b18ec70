"""`amq reload`: the broker reads its configuration again."""

from amq.cli.ask.command import Session, asking
from amq.cli.show.output import print_json
from amq.cli.show.text import harmless


@asking(
    None,
    "reload",
    "let the broker read its configuration again",
    table=True,
    more="What can change without a restart does at once; what cannot is told. SIGHUP does the same.",
)
def command(session: Session) -> None:
    """Tell what has changed, what has not, and what is odd."""
    found = session.broker.post("amq/reload")
    if session.out.shape == "json":
        print_json(found)
        return
    if session.out.shape == "csv":
        rows = [{"what": what, "text": text} for what, texts in found.items() for text in texts]
        session.out.rows(rows, ("what", "text"))
        return
    for text in found["changed"]:
        session.out.say(f"changed: {text}")
    for text in found["needs_restart"]:
        print(f"needs a restart: {harmless(text)}")
    for text in found["warnings"]:
        print(f"warning: {harmless(text)}")
    if not any(found.values()):
        session.out.say("nothing has changed")
