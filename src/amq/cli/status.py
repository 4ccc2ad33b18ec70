"""`amq status`: the broker at a glance."""

from typing import Any

from amq.cli.ask.broker import path
from amq.cli.ask.command import Session, asking
from amq.cli.show.sizes import duration, octets


@asking(None, "status", "show the broker at a glance", table=True)
def command(session: Session) -> None:
    """Versions, totals, resources, listeners."""
    about: dict[str, Any] = session.broker.get("overview")
    node: dict[str, Any] = session.broker.get(path("nodes", about["node"]))
    if session.out.shape == "json":
        session.out.record({"overview": about, "node": node})
        return
    session.out.record(facts(about, node))


def facts(about: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """What is shown of it."""
    totals, queued = about.get("object_totals", {}), about.get("queue_totals", {})
    alarms = [name for name, key in (("memory", "mem_alarm"), ("disk", "disk_free_alarm")) if node.get(key)]
    listeners = [f"{each['protocol']} {each['ip_address']}:{each['port']}" for each in about.get("listeners", [])]
    return {
        "node": about["node"],
        "cluster": about.get("cluster_name", ""),
        "version": f"{about.get('product_name', '')} {about.get('product_version', '')}".strip(),
        "runs on": about.get("erlang_full_version", about.get("erlang_version", "")),
        "process": node.get("os_pid", ""),
        "uptime": duration(node.get("uptime", 0) / 1000),
        "alarms": ", ".join(alarms) or "none",
        "memory": f"{octets(node.get('mem_used', 0))} of {octets(node.get('mem_limit', 0))}",
        "disk free": f"{octets(node.get('disk_free', 0))}, at least {octets(node.get('disk_free_limit', 0))}",
        "files open": f"{node.get('fd_used', 0)} of {node.get('fd_total', 0)}",
        "data": node.get("db_dir") or "in memory",
        "messages": queued.get("messages", 0),
        "ready": queued.get("messages_ready", 0),
        "unacknowledged": queued.get("messages_unacknowledged", 0),
        "connections": totals.get("connections", 0),
        "channels": totals.get("channels", 0),
        "queues": totals.get("queues", 0),
        "exchanges": totals.get("exchanges", 0),
        "consumers": totals.get("consumers", 0),
        "listeners": "; ".join(listeners),
    }
