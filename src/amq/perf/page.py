"""Runs of a load as one HTML file that needs nothing else: no script, no picture, no font from anywhere.

What brokers and queues are called is text in it, and its content security policy allows nothing but its own style: a
report can be opened, and sent to others, whoever was measured.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Final

from amq.perf import plot, tables
from amq.perf.charts import Runs, charts
from amq.perf.markup import element, text
from amq.perf.result import Result

STYLE: Final = (
    ":root{color-scheme:light dark;--ground:#f3f3f5;--ink:#26262b;--faint:#dcdce2;--card:#fff;--bad:#a1220c}"
    "@media screen and (prefers-color-scheme:dark){"
    ":root{--ground:#0e0f12;--ink:#e4e4e8;--faint:#3a3b42;--card:#17181c;--bad:#ff9d8a}}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;padding:16px;max-width:1240px;background:var(--ground);color:var(--ink);"
    "font:15px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}"
    "h1{font-size:1.5em;margin:.2em 0}h2{font-size:1.15em;margin:1.4em 0 .5em}p{margin:.3em 0 1em}"
    "footer{margin-top:2em;opacity:.75;font-size:.9em}li{color:var(--bad);overflow-wrap:anywhere}"
    ".wide{overflow-x:auto;background:var(--card);border-radius:6px;margin:0 0 12px;padding:4px 12px 10px}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "caption{text-align:left;font-weight:600;padding:6px 0}"
    "th,td{text-align:right;padding:4px 0 4px 22px;border-top:1px solid var(--faint);overflow-wrap:break-word}"
    "thead th{border-top:0}th:first-child{text-align:left;padding-left:0;font-weight:400}"
    ".tables{display:flex;flex-wrap:wrap;gap:12px}.tables .wide{margin:0;max-width:100%}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:12px}"
    "figure{margin:0;break-inside:avoid}.plot{display:block;width:100%;height:auto;max-width:760px}"
    "details{margin:0 0 12px}summary{cursor:pointer;padding:6px 0}"
    "@media print{body{max-width:none;padding:0;background:#fff}.wide{overflow:visible}"
    ".charts{grid-template-columns:1fr 1fr}}" + plot.STYLE
)


def page(results: Sequence[Result]) -> str:
    """The report of one run, or of several beside each other; at least one."""
    runs = list(zip(names(results), results, strict=True))
    title = "Load test: " + ", ".join(name for name, _ in runs[:4]) + (" …" if len(runs) > 4 else "")
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">' + text("title", title) + element("style", STYLE)
    )
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>{_body(title, runs)}</body></html>\n'


def names(results: Sequence[Result]) -> list[str]:
    """What each run is called: its id, or its broker, or where those are not unlike each other both and a number."""
    for found in ([each.load.id for each in results], [tables.broker(each) for each in results]):
        if len(set(found)) == len(found):
            return found
    both = [f"{each.load.id} on {tables.broker(each)}" for each in results]
    times, seen = Counter(both), Counter[str]()
    for number, name in enumerate(both):
        seen[name] += 1
        both[number] = f"{name}, {seen[name]}" if times[name] > 1 else name
    return both


def _body(title: str, runs: Runs) -> str:
    drawn = "".join(
        element("figure", plot.svg(chart, f"plot-{number}", styled=False)) for number, chart in enumerate(charts(runs))
    )
    return element(
        "main",
        text("h1", title)
        + text("p", _lead(runs))
        + tables.errors(runs)
        + element("div", tables.summary(runs) + tables.latencies(runs), class_="tables")
        + (element("h2", "Plots") + element("div", drawn, class_="charts") if drawn else "")
        + element("h2", "Options")
        + tables.options(runs),
    ) + text("footer", "Made by amq perf. Machines differ and are shared: compare runs of the same machine and hour.")


def _lead(runs: Runs) -> str:
    if len(runs) > 1:
        return f"{len(runs)} runs beside each other; in brackets how a rate compares with the first run's."
    _, result = runs[0]
    verb, moved = ("delivered", "consumed") if result.consumed else ("took", "published")
    return f"{tables.broker(result)} {verb} {result.rate(moved):,.0f} messages/s."


def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
