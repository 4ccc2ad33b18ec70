"""Tables for a terminal, with rich."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from amq.cli.show.output import Row, value
from amq.cli.show.text import cell, harmless


def table(rows: Sequence[Row], names: Sequence[str], header: bool = True) -> Table:
    """Numbers stand to the right. Nothing in a cell is taken for markup."""
    made = Table(box=box.SIMPLE_HEAD if header else None, show_header=header, pad_edge=False)
    for name in names:
        values = [value(row, name) for row in rows]
        numeric = bool(values) and all(_is_number(each) for each in values)
        made.add_column(Text(harmless(name)), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        made.add_row(*[_shown(value(row, name)) for name in names])
    return made


def print_table(rows: Sequence[Row], names: Sequence[str], header: bool) -> None:
    """The table on stdout."""
    Console(highlight=False).print(table(rows, names, header))


def _shown(found: Any) -> Text:
    if isinstance(found, bool):
        return Text("yes" if found else "no", style="green" if found else "dim")
    if isinstance(found, int):
        return Text(f"{found:,}".replace(",", " "))
    return Text(harmless(cell(found)))


def _is_number(found: Any) -> bool:
    return found is None or found == "" or (isinstance(found, int | float) and not isinstance(found, bool))
