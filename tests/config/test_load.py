"""Settings from files, the environment and the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from amq.config.load import ConfigError, load
from amq.config.origins import Origins
from amq.config.settings import DefaultPermissions, DiskFreeLimit, Listener, MemoryWatermark, Settings

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file and returns its path."""

    def write_file(text: str | bytes, name: str = "rabbitmq.conf") -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write_file


def from_file(path: str, **environ: str) -> Settings:
    """Settings that come without a warning."""
    settings, warnings = load(path, environ)
    assert warnings == []
    return settings


def refusal(path: str | None, environ: dict[str, str] | None = None, **options: object) -> str:
    with pytest.raises(ConfigError) as raised:
        load(path, environ or {}, **options)  # type: ignore[arg-type]
    return str(raised.value)


def test_nothing_given_is_the_zero_config_broker() -> None:
    assert load(None, {}) == (Settings(), [])


def test_a_whole_configuration(write: Write) -> None:
    cert = write("-", "cert.pem")
    settings = from_file(
        write(
            f"""
            listeners.tcp.default = 5673
            listeners.ssl.1 = 127.0.0.1:5671
            heartbeat = 30
            frame_max = 64KB
            consumer_timeout = false
            consumer_max_per_channel = infinity
            handshake_timeout = 2000
            default_user = app
            default_pass = 'p # w'
            default_permissions.write = ^app
            default_user_tags.monitoring = true
            default_user_tags.administrator = false
            vm_memory_high_watermark.absolute = 1GiB
            vm_memory_high_watermark_paging_ratio = 0.75
            body_memory_limit = 64MiB
            data = /var/lib/amq
            disk_free_limit.relative = 1.5
            journal.segment_bytes = 16MiB
            journal.stall_seconds = 3
            log.console.level = warning
            ssl_options.certfile = {cert}
            ssl_options.keyfile = {cert}
            ssl_options.verify = verify_peer
            ssl_options.versions.1 = tlsv1.3
            ssl_cert_login_from = common_name
            auth_mechanisms.2 = PLAIN
            auth_mechanisms.1 = EXTERNAL
            product.name = amq
            """
        )
    )
    assert settings.listeners == (Listener("", 5673), Listener("127.0.0.1", 5671, tls=True))
    assert (settings.heartbeat, settings.frame_max, settings.handshake_timeout) == (30, 65_536, 2000)
    assert settings.consumer_timeout is None
    assert settings.consumer_max_per_channel == 0
    assert (settings.default_user, settings.default_pass) == ("app", "p # w")
    assert settings.default_permissions == DefaultPermissions(write="^app")
    assert settings.default_user_tags == {"monitoring"}
    assert settings.memory_high_watermark == MemoryWatermark(absolute=1024**3)
    assert (settings.memory_high_watermark_paging_ratio, settings.body_memory_limit) == (0.75, 64 * 1024**2)
    assert (settings.data, settings.disk_free_limit) == ("/var/lib/amq", DiskFreeLimit(relative=1.5))
    assert (settings.journal_segment_bytes, settings.journal_stall_seconds) == (16 * 1024**2, 3)
    assert settings.log.console_level == "warning"
    assert settings.tls is not None
    assert (settings.tls.certfile, settings.tls.verify, settings.tls.versions) == (cert, "verify_peer", ("tlsv1.3",))
    assert settings.ssl_cert_login_from == "common_name"
    assert settings.auth_mechanisms == ("EXTERNAL", "PLAIN")
    assert settings.product_name == "amq"


def test_listeners_come_in_the_order_of_their_numbers(write: Write) -> None:
    path = write("listeners.tcp.10 = 3\nlisteners.tcp.2 = 2\nlisteners.tcp.1 = 1\n")
    assert [listener.port for listener in from_file(path).listeners] == [1, 2, 3]


def test_no_plain_listeners_at_all(write: Write) -> None:
    assert from_file(write("listeners.tcp = none\nlisteners.tcp.1 = 5672")).listeners == ()


def test_the_last_value_for_a_key_counts(write: Write) -> None:
    assert from_file(write("heartbeat = 1\nheartbeat = 2")).heartbeat == 2


@pytest.mark.parametrize(
    ("text", "users"),
    [
        ("loopback_users = none", set()),
        ("loopback_users.guest = false", set()),
        ("loopback_users.bob = true", {"bob"}),
        ("loopback_users.bob = true\nloopback_users.guest = true", {"bob", "guest"}),
        ("heartbeat = 1", {"guest"}),
    ],
)
def test_naming_loopback_users_replaces_guest(write: Write, text: str, users: set[str]) -> None:
    assert from_file(write(text)).loopback_users == users


def test_outputs_and_categories_of_the_log_have_levels_of_their_own(write: Write) -> None:
    text = "log.console.level = error\nlog.default.level = debug\nlog.connection.level = warning\nlog.file = false\n"
    settings = from_file(write(text + "log.file.formatter = json\nlog.file.rotation.date = $D0\n"))
    assert (settings.log_level, settings.log.console_level, settings.log.connection_level) == (
        "debug",
        "error",
        "warning",
    )
    assert (settings.log.file, settings.log.file_format, settings.log.rotation_date) == (None, "json", "$D0")


def test_values_may_refer_to_keys_and_to_the_environment(write: Write) -> None:
    path = write("default_user = $(NAME)-app\ndefault_pass = $(default_user)!$( NAME )\ncluster_name = $(cluster)")
    settings = from_file(path, NAME="bob", cluster="c1")
    assert (settings.default_user, settings.default_pass, settings.cluster_name) == ("bob-app", "bob-app!bob", "c1")


def test_a_value_may_be_the_content_of_a_file(write: Write) -> None:
    write("s3cret\n", "secrets/pass")
    assert from_file(write("default_pass = $(<secrets/pass)")).default_pass == "s3cret"


def test_included_files_are_read_in_place_and_in_order(write: Write) -> None:
    write("heartbeat = 2\nchannel_max = 7", "conf.d/20.conf")
    write("heartbeat = 1", "conf.d/10.conf")
    write("heartbeat = 99", "conf.d/readme.txt")
    path = write("channel_max = 5\nheartbeat = 3\ninclude conf.d/*.conf\ninclude nowhere/*.conf\ncluster_name = c")
    settings = from_file(path)
    assert (settings.heartbeat, settings.channel_max, settings.cluster_name) == (2, 7, "c")


def test_a_file_that_includes_itself_is_refused(write: Write) -> None:
    path = write("include rabbit*.conf")
    assert refusal(path) == f"{path}:1:9: include: '{path}' includes itself"


def test_an_included_file_that_has_a_name_must_be_there(write: Write, tmp_path: Path) -> None:
    path = write("heartbeat = 3\ninclude nope.conf")
    assert refusal(path) == (
        f"{path}:2:9: include: '{tmp_path / 'nope.conf'}' does not exist or cannot be read, "
        "allowed: a file, or several by a name with * in it"
    )


def test_many_stars_in_an_include_are_one(write: Write) -> None:
    write("heartbeat = 1", "conf.d/10.conf")
    assert from_file(write("include conf.d/**.conf")).heartbeat == 1


def test_an_included_folder_is_refused_where_it_is_included(write: Write, tmp_path: Path) -> None:
    write("", "conf.d/10.conf")
    path = write("include conf.d")
    assert refusal(path).startswith(f"{path}:1:9: include: '{tmp_path / 'conf.d'}' cannot be read")
    path = write("include .")
    assert refusal(path).startswith(f"{path}:1:9: include: '{tmp_path}' cannot be read")


def test_a_mark_of_the_byte_order_at_the_start_of_a_file_does_not_count(write: Write) -> None:
    write(b"\xef\xbb\xbfchannel_max = 7", "more.conf")
    settings = from_file(write(b"\xef\xbb\xbfheartbeat = 5\ninclude more.conf"))
    assert (settings.heartbeat, settings.channel_max) == (5, 7)


def test_an_unknown_key_warns_and_names_the_nearest_one(write: Write) -> None:
    path = write("hartbeat = 5\nlisteners.tpc.local = 5672\ncolour.of.the.bikeshed = 1\nheartbeat = 7")
    settings, warnings = load(path, {})
    assert settings.heartbeat == 7
    assert warnings == [
        f"{path}:1: unknown key 'hartbeat'; the nearest known is 'heartbeat'",
        f"{path}:2: unknown key 'listeners.tpc.local'; the nearest known is 'listeners.tcp.$name'",
        f"{path}:3: unknown key 'colour.of.the.bikeshed'; no known one is like it",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("heartbeat = abc", "1:13: heartbeat: 'abc' is not a whole number, allowed: 0 to 65535 seconds"),
        ("\n heartbeat = 70000", "2:14: heartbeat: 70000 is out of range, allowed: 0 to 65535 seconds"),
        ("frame_max = 100", "1:13: frame_max: 100 is out of range, allowed: 4096 to 2147483647 bytes, or 0"),
        (
            "listeners.tcp.x = y",
            "1:19: listeners.tcp.x: 'y' has no port, allowed: PORT, ADDRESS:PORT or [IPv6]:PORT",
        ),
        ("listeners.tcp = all", "1:17: listeners.tcp: 'all' is not none, allowed: none"),
        (
            "loopback_users.guest = no",
            "1:24: loopback_users.guest: 'no' is neither true nor false, allowed: none, or true or false for each user",
        ),
        (
            "ssl_options.certfile = /nowhere.pem",
            "1:24: ssl_options.certfile: '/nowhere.pem' does not exist or cannot be read, allowed: path of a file",
        ),
        ("default_pass = ''", "1:16: default_pass: must not be empty, allowed: text"),
        (
            "default_user = $(NOBODY)",
            "1:16: default_user: $(NOBODY) is neither a key of the configuration nor an environment variable",
        ),
        (
            "default_user = $(default_pass)\ndefault_pass = $(default_user)",
            "1:16: default_user: $(default_pass) leads back to itself",
        ),
        (
            "listeners.ssl.1 = 5671",
            "1:19: listeners.ssl.1: a TLS listener needs ssl_options.certfile and ssl_options.keyfile",
        ),
        ("heartbeat 5", "1:11: expected '=' after the key"),
    ],
)
def test_a_wrong_value_is_one_line_with_file_line_column_key_and_what_is_allowed(
    write: Write, text: str, message: str
) -> None:
    path = write(text)
    assert refusal(path) == f"{path}:{message}"


def test_a_wrong_value_with_line_ends_in_it_is_still_one_line(write: Write) -> None:
    assert "\n" not in refusal(write("heartbeat = 'a\nb'"))


def test_a_file_that_cannot_be_read_is_refused(write: Write, tmp_path: Path) -> None:
    missing = str(tmp_path / "none.conf")
    assert refusal(missing) == f"{missing}: '{missing}' cannot be read: No such file or directory"
    binary = write(b"a = \xff")
    assert refusal(binary) == f"{binary}: '{binary}' is not UTF-8 at octet 4"
    zero = write(b"load_definitions = a\0b")
    assert refusal(zero) == f"{zero}: '{zero}' has a null at octet 20, allowed: text"
    write(b"a\0", "zero")
    assert "has a null at octet 1" in refusal(write("default_pass = $(<zero)"))
    assert "has a null" in refusal(write(b"default_pass = $(<ze\0ro)"))
    path = write("default_pass = $(<gone)")
    gone = tmp_path / "gone"
    assert refusal(path) == f"{path}:1:16: default_pass: '{gone}' cannot be read: No such file or directory"


def test_the_environment_overrides_the_file(write: Write) -> None:
    path = write("heartbeat = 5\nchannel_max = 5")
    settings = from_file(path, AMQ_HEARTBEAT="9", HEARTBEAT="1", AMQ_LOG_LEVEL="debug")
    assert (settings.heartbeat, settings.channel_max, settings.log_level) == (9, 5, "debug")


@pytest.mark.parametrize("name", ["AMQ_LISTENERS__TCP__LOCAL", "AMQ_LISTENERS_TCP_LOCAL", "AMQ_LISTENERS_TCP__1"])
def test_dots_are_one_or_two_underscores_in_the_environment(name: str) -> None:
    settings, warnings = load(None, {name: "localhost:7"})
    assert warnings == []
    assert settings.listeners == (Listener("localhost", 7),)


def test_a_free_word_in_the_environment_is_lower_case_unless_it_is_spelled_otherwise() -> None:
    environ = {"AMQ_LOOPBACK_USERS__GUEST": "true", "AMQ_LOOPBACK_USERS__Bob_Builder": "true"}
    assert load(None, environ)[0].loopback_users == {"guest", "Bob_Builder"}


def test_an_unknown_variable_warns() -> None:
    assert load(None, {"AMQ_HARTBEAT": "5"})[1] == [
        "environment: unknown variable AMQ_HARTBEAT; the nearest known is 'AMQ_HEARTBEAT'"
    ]


def test_variables_of_rabbitmqs_container_image() -> None:
    environ = {"RABBITMQ_DEFAULT_USER": "u", "RABBITMQ_DEFAULT_PASS": "p", "RABBITMQ_DEFAULT_VHOST": "v"}
    settings, warnings = load(None, environ)
    assert (settings.default_user, settings.default_pass, settings.default_vhost) == ("u", "p", "v")
    assert warnings == []


@pytest.mark.parametrize(
    ("environ", "listener"),
    [
        ({"RABBITMQ_NODE_PORT": "7"}, Listener("", 7)),
        ({"RABBITMQ_NODE_IP_ADDRESS": "::1"}, Listener("::1", 5672)),
        ({"RABBITMQ_NODE_IP_ADDRESS": "::"}, Listener("", 5672)),
        ({"RABBITMQ_NODE_IP_ADDRESS": "127.0.0.2", "RABBITMQ_NODE_PORT": "7"}, Listener("127.0.0.2", 7)),
    ],
)
def test_rabbitmqs_node_address_and_port(environ: dict[str, str], listener: Listener) -> None:
    assert load(None, environ)[0].listeners == (listener,)


def test_amqs_variables_override_rabbitmqs() -> None:
    assert load(None, {"RABBITMQ_DEFAULT_USER": "one", "AMQ_DEFAULT_USER": "two"})[0].default_user == "two"


def test_a_wrong_value_in_the_environment_names_the_variable() -> None:
    assert refusal(None, {"AMQ_HEARTBEAT": "x"}) == (
        "environment AMQ_HEARTBEAT: 'x' is not a whole number, allowed: 0 to 65535 seconds"
    )
    assert refusal(None, {"RABBITMQ_NODE_PORT": "x"}).startswith("environment RABBITMQ_NODE_PORT: 'x' has no port")


def test_listen_on_the_command_line_replaces_the_plain_listeners(write: Write) -> None:
    path = write("listeners.tcp = none\nlisteners.tcp.1 = 1")
    settings, _ = load(path, {"AMQ_LISTENERS_TCP_2": "2"}, listen=["localhost:3", "[::1]:4"])
    assert settings.listeners == (Listener("localhost", 3), Listener("::1", 4))


def test_the_log_level_on_the_command_line_wins(write: Write) -> None:
    path = write("log.console.level = error")
    settings, _ = load(path, {"AMQ_LOG_CONSOLE_LEVEL": "info"}, log_level="debug")
    assert (settings.log_level, settings.log.console_level) == ("debug", "debug")


def test_data_are_where_the_file_the_environment_or_last_the_command_line_says(write: Write) -> None:
    path = write("data = one")
    assert load(path, {})[0].data == "one"
    assert load(path, {"AMQ_DATA": "two"})[0].data == "two"
    assert load(path, {"AMQ_DATA": "two"}, data="three")[0].data == "three"
    assert load(path, {"AMQ_DATA": "two"}, in_memory=True)[0].data is None


def test_nothing_is_kept_where_none_is_said(write: Write) -> None:
    path = write("data = one")
    assert load(path, {"AMQ_DATA": "none"})[0].data is None
    assert load(path, {"AMQ_DATA": "./none"})[0].data == "./none"


def test_whether_anybody_said_where_data_are_is_known() -> None:
    for environ, options, origin in (
        ({}, {}, None),
        ({"AMQ_DATA": "none"}, {}, "environment AMQ_DATA"),
        ({}, {"in_memory": True}, "--in-memory"),
        ({}, {"data": "d"}, "--data d"),
    ):
        origins = Origins()
        load(None, environ, origins=origins, **options)  # type: ignore[arg-type]
        assert origins.of("data") == origin


def test_a_folder_without_a_name_is_refused() -> None:
    allowed = "must not be empty, allowed: path of a folder, or none"
    assert refusal(None, {"AMQ_DATA": ""}) == f"environment AMQ_DATA: {allowed}"
    assert refusal(None, data="") == f"--data : {allowed}"


def test_a_wrong_value_on_the_command_line_names_the_option() -> None:
    assert refusal(None, listen=["nowhere"]) == (
        "--listen nowhere: 'nowhere' has no port, allowed: PORT, ADDRESS:PORT or [IPv6]:PORT"
    )
    assert refusal(None, log_level="loud").startswith("--log-level loud: 'loud' is not known, allowed: debug, ")


def test_files_in_conf_d_come_after_the_file_beside_them_in_their_order(write: Write, tmp_path: Path) -> None:
    path = write("heartbeat = 5\nchannel_max = 5")
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "20-more.conf").write_text("heartbeat = 20\n")
    (tmp_path / "conf.d" / "10-first.conf").write_text("heartbeat = 10\nframe_max = 8192\n")
    (tmp_path / "conf.d" / "30-not.txt").write_text("heartbeat = 30\n")
    settings = from_file(path)
    assert (settings.heartbeat, settings.channel_max, settings.frame_max) == (20, 5, 8192)


def test_a_folder_of_files_is_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "b.conf").write_text("heartbeat = 7\n")
    (tmp_path / "a.conf").write_text("heartbeat = 6\ntcp_listen_options.backlog = 9\n")
    settings = from_file(tmp_path)
    assert (settings.heartbeat, settings.tcp.backlog) == (7, 9)


def test_keys_that_mean_something_to_rabbitmq_alone_are_told_apart_from_slips(write: Write) -> None:
    path = write("raft.wal_max_size_bytes = 1\nlog.syslog = true\nhartbeat = 5\n")
    _, warnings = load(path, {})
    assert warnings == [
        f"{path}:1: key 'raft.wal_max_size_bytes' has no effect: there are no quorum queues and streams",
        f"{path}:2: key 'log.syslog' has no effect: the log goes to standard error and to a file",
        f"{path}:3: unknown key 'hartbeat'; the nearest known is 'heartbeat'",
    ]
