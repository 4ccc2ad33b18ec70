"""Definitions that a broker starts with: from a folder, from a server, and not twice."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import attrs
import pytest
import trustme

from amq.broker import Broker
from amq.config.seeds import DefaultLimits, DefaultPolicy, ImportSettings
from amq.config.settings import Settings
from amq.journal.batch import Batch
from amq.server.errors import SettingError
from amq.server.importing import import_definitions
from amq.server.preparing import bare_broker, furnish, new_broker


def vhosts(*names: str) -> str:
    return json.dumps({"vhosts": [{"name": name} for name in names]})


@contextmanager
def served(text: str, status: int = 200, certificate: trustme.LeafCert | None = None) -> Iterator[str]:
    """The address of a server that answers everything with this text."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate is not None:
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"{scheme}://127.0.0.1:{server.server_port}/definitions.json"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_every_file_of_a_folder_is_imported_by_name(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text(vhosts("a"))
    # It needs what the first one makes.
    (tmp_path / "2.json").write_text('{"queues": [{"name": "q", "vhost": "a"}]}')
    (tmp_path / "notes.txt").write_text("no definitions")
    broker = new_broker(Settings(load_definitions=str(tmp_path)))
    assert list(broker.vhosts) == ["/", "a"]
    assert b"q" in broker.vhosts["a"].queues


def test_an_empty_folder_defines_nothing(tmp_path: Path) -> None:
    assert "guest" in new_broker(Settings(load_definitions=str(tmp_path))).users


def test_a_file_of_a_folder_that_is_wrong_is_named(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text(vhosts("a"))
    (tmp_path / "2.json").write_text("{")
    with pytest.raises(SettingError, match=r"2\.json: not JSON"):
        new_broker(Settings(load_definitions=str(tmp_path)))


def test_what_is_wrong_is_told_in_one_line(tmp_path: Path) -> None:
    document = {
        "parameters": [{"vhost": "/", "component": "vhost-limits", "name": "limits", "value": {"max-queues": 0}}],
        "queues": [{"name": "q", "vhost": "/"}],
    }
    path = tmp_path / "d.json"
    path.write_text(json.dumps(document))
    with pytest.raises(SettingError, match="would exceed the limit of 0 queue") as caught:
        new_broker(Settings(load_definitions=str(path)))
    assert "\n" not in str(caught.value)


def test_definitions_are_fetched_from_a_server() -> None:
    with served(vhosts("far")) as url:
        broker = new_broker(Settings(imports=ImportSettings(backend="https", url=url)))
    assert "far" in broker.vhosts


def test_a_servers_certificate_is_checked_unless_that_is_turned_off(tmp_path: Path) -> None:
    authority = trustme.CA()
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    with served(vhosts("far"), certificate=authority.issue_cert("127.0.0.1")) as url:
        imports = ImportSettings(backend="https", url=url, cacertfile=str(ca))
        assert "far" in new_broker(Settings(imports=imports)).vhosts
        with pytest.raises(SettingError, match="CERTIFICATE_VERIFY_FAILED") as caught:
            new_broker(Settings(imports=attrs.evolve(imports, cacertfile=None)))
        assert caught.value.field == "imports.url"
        unchecked = attrs.evolve(imports, cacertfile=None, verify="verify_none")
        assert "far" in new_broker(Settings(imports=unchecked)).vhosts


def test_a_server_that_has_none_stops_the_start() -> None:
    with served("", 404) as url, pytest.raises(SettingError, match="the server answered 404 Not Found"):
        new_broker(Settings(imports=ImportSettings(url=url)))
    with pytest.raises(SettingError, match="refused"):
        new_broker(Settings(imports=ImportSettings(url=url)))


@pytest.mark.parametrize("backend", ["local_filesystem", "https"])
def test_a_source_without_a_place_stops_the_start(backend: str) -> None:
    with pytest.raises(SettingError, match=f"{backend} needs definitions"):
        new_broker(Settings(imports=ImportSettings(backend=backend)))


def test_what_was_imported_before_is_not_imported_again_until_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    path.write_text(vhosts("a"))
    settings = Settings(load_definitions=str(path), imports=ImportSettings(skip_if_unchanged=True))
    broker = bare_broker(settings, Batch(keeps=True))
    furnish(broker)
    broker.delete_vhost("a")
    import_definitions(broker)
    assert "a" not in broker.vhosts, "the same definitions are not imported twice"
    path.write_text(vhosts("a", "b"))
    import_definitions(broker)
    assert {"a", "b"} <= broker.vhosts.keys()


def test_without_that_they_are_imported_at_every_start(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    path.write_text(vhosts("a"))
    broker = new_broker(Settings(load_definitions=str(path)))
    broker.delete_vhost("a")
    import_definitions(broker)
    assert "a" in broker.vhosts


def test_a_document_decides_against_what_new_vhosts_come_with(tmp_path: Path) -> None:
    limits = {"vhost": "/", "component": "vhost-limits", "name": "limits", "value": {"max-queues": 7}}
    path = tmp_path / "d.json"
    path.write_text(json.dumps({"vhosts": [{"name": "/"}], "users": [{"name": "u"}], "parameters": [limits]}))
    seeds = (DefaultLimits(name="1", max_queues=1),)
    assert new_broker(Settings(default_limits=seeds)).vhosts["/"].limits == {"max-queues": 1}
    broker = new_broker(Settings(default_limits=seeds, load_definitions=str(path)))
    assert broker.vhosts["/"].limits == {"max-queues": 7}


def test_a_policy_for_new_vhosts_that_cannot_be_stops_the_start() -> None:
    wrong = DefaultPolicy(name="p", ha_mode="sometimes")
    with pytest.raises(SettingError, match=r"default_policies\.operator\.p: .*sometimes.* is not a valid ha-mode"):
        new_broker(Settings(default_policies=(wrong,)))


def test_a_broker_has_an_identity_of_its_own() -> None:
    one, other = [new_broker(Settings()).global_parameters["internal_cluster_id"] for _ in range(2)]
    assert one != other
    assert str(one).startswith("rabbitmq-cluster-id-")


def test_an_identity_that_was_stored_stays() -> None:
    broker = Broker(Settings(), 0.0, 0.0)
    broker.global_parameters["internal_cluster_id"] = "mine"
    furnish(broker)
    assert broker.global_parameters["internal_cluster_id"] == "mine"
