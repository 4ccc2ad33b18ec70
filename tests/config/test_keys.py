"""The table of keys."""

import attrs
import pytest

from amq.config.keys import GROUPS, KEYS, PARTS, find
from amq.config.settings import Settings


def test_every_key_has_a_help_text_and_says_what_is_allowed() -> None:
    for key in KEYS:
        assert key.help, key.name
        assert key.allowed, key.name


def test_every_setting_has_a_key() -> None:
    reachable = {key.field for key in KEYS}
    for field in attrs.fields_dict(Settings):
        if field in PARTS:
            parts = {f"{field}.{part}" for part in attrs.fields_dict(PARTS[field])}
            assert parts <= reachable
        elif field in GROUPS:
            # Its name is the word in the place of the `$`.
            parts = {f"{field}.{part}" for part in attrs.fields_dict(GROUPS[field]) if part != "name"}
            assert parts <= reachable
        else:
            assert field in reachable


def test_no_key_is_there_twice() -> None:
    names = [key.name for key in KEYS]
    assert len(names) == len(set(names))


def test_a_word_in_a_key_may_be_free() -> None:
    found = find(("listeners", "tcp", "local"))
    assert found is not None
    assert (found[0].name, found[1]) == ("listeners.tcp.$name", "local")


@pytest.mark.parametrize("words", [("listeners",), ("listeners", "udp", "x"), ("heartbeat", "x"), ("heart",)])
def test_other_words_are_no_key(words: tuple[str, ...]) -> None:
    assert find(words) is None


def test_a_value_is_read_and_checked_for_its_range() -> None:
    by_name = {key.name: key for key in KEYS}
    assert by_name["heartbeat"].read("30") == 30
    assert by_name["heartbeat"].default == 60
    assert by_name["heartbeat"].allowed == "0 to 65535 seconds"
    with pytest.raises(ValueError, match="out of range"):
        by_name["heartbeat"].read("70000")
    with pytest.raises(ValueError, match="not known"):
        by_name["auth_mechanisms.$name"].read("MAGIC")
    with pytest.raises(ValueError, match="out of range"):
        by_name["vm_memory_high_watermark.relative"].read("1.5")
