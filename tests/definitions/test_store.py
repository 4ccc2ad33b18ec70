"""What every definition store keeps to. An implementation is entered in `STORES`: a folder in, a store out."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from amq.definitions.entry import Compare, Entry, Event, Result
from amq.definitions.sqlite import SqliteStore
from amq.definitions.store import Store, StoreError

STORES: list[Callable[[Path], Store]] = [lambda folder: SqliteStore.open(folder / "definitions.db")]


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    found: Store = request.param(tmp_path)
    yield found
    await found.close()


async def keys(store: Store, prefix: bytes = b"") -> list[bytes]:
    return [entry.key for entry in (await store.scan(prefix)).entries]


async def events(store: Store, prefix: bytes, after: int, count: int) -> list[list[Event]]:
    """The next so many items of a watch, which must come."""
    found: list[list[Event]] = []
    with trio.fail_after(5):
        async with aclosing(store.watch(prefix, after)) as watch:
            async for item in watch:
                found.append(item)
                if len(found) == count:
                    break
    return found


async def test_a_new_store_is_empty(store: Store) -> None:
    assert await store.get(b"a") is None
    scan = await store.scan()
    assert (scan.entries, scan.revision) == ([], 0)


async def test_what_was_put_is_there_with_the_revision_that_put_it(store: Store) -> None:
    assert await store.txn(puts=[(b"a", b"1"), (b"b", b"2")]) == Result(True, 1)
    assert await store.txn(puts=[(b"a", b"3")]) == Result(True, 2)
    assert await store.get(b"a") == Entry(b"a", b"3", 2)
    assert await store.get(b"b") == Entry(b"b", b"2", 1)


async def test_keys_and_values_are_octets_of_any_kind(store: Store) -> None:
    odd = [(b"\x00\xff", b""), (b"\xff\xff", b"\x00'\""), (b"", b"nothing"), (b"%", b"\xe4")]
    await store.txn(puts=odd)
    assert {entry.key: entry.value for entry in (await store.scan()).entries} == dict(odd)


async def test_a_scan_is_in_the_order_of_octets_and_of_its_prefix_alone(store: Store) -> None:
    await store.txn(puts=[(key, b"") for key in (b"a/b", b"a", b"b", b"a0", b"a/\xff\xff", b"a/", b"\xff", b"\xffz")])
    assert await keys(store) == [b"a", b"a/", b"a/b", b"a/\xff\xff", b"a0", b"b", b"\xff", b"\xffz"]
    assert await keys(store, b"a/") == [b"a/", b"a/b", b"a/\xff\xff"]
    assert await keys(store, b"\xff") == [b"\xff", b"\xffz"]
    assert await keys(store, b"a/\xff") == [b"a/\xff\xff"]


async def test_a_scan_says_at_which_revision_it_was(store: Store) -> None:
    await store.txn(puts=[(b"a", b"1")])
    await store.txn(puts=[(b"b", b"2")])
    assert (await store.scan(b"a")).revision == 2


async def test_what_was_deleted_is_gone(store: Store) -> None:
    await store.txn(puts=[(b"a", b""), (b"b", b"")])
    assert await store.txn(deletes=[b"a", b"never there"]) == Result(True, 2)
    assert await keys(store) == [b"b"]


async def test_a_transaction_that_changes_nothing_makes_no_revision(store: Store) -> None:
    await store.txn(puts=[(b"a", b"")])
    assert await store.txn(deletes=[b"b"], prefixes=[b"c"]) == Result(True, 1)
    assert await store.txn() == Result(True, 1)


async def test_a_prefix_deletes_all_that_begins_so_but_for_what_is_put(store: Store) -> None:
    await store.txn(puts=[(key, b"old") for key in (b"q/v/a", b"q/v/b", b"q/w/a", b"q/v")])
    await store.txn(puts=[(b"q/v/b", b"new"), (b"q/v/c", b"new")], prefixes=[b"q/v/"])
    assert await keys(store) == [b"q/v", b"q/v/b", b"q/v/c", b"q/w/a"]
    assert (await events(store, b"", 1, 1))[0] == [
        Event(b"q/v/a", None, 2),
        Event(b"q/v/b", b"new", 2),
        Event(b"q/v/c", b"new", 2),
    ]


async def test_a_transaction_whose_conditions_do_not_hold_writes_nothing(store: Store) -> None:
    await store.txn(puts=[(b"a", b"1"), (b"b", b"1")])
    for compare in (Compare(b"a", 0), Compare(b"a", 2), Compare(b"new", 1)):
        refused = await store.txn([Compare(b"b", 1), compare], puts=[(b"a", b"2")], deletes=[b"b"], prefixes=[b""])
        assert refused == Result(False, 1)
    assert await keys(store) == [b"a", b"b"]
    assert await store.get(b"a") == Entry(b"a", b"1", 1)


async def test_a_transaction_whose_conditions_hold_is_written_as_a_whole(store: Store) -> None:
    await store.txn(puts=[(b"a", b"1"), (b"b", b"1")])
    done = await store.txn([Compare(b"a", 1), Compare(b"new", 0)], puts=[(b"new", b"2")], deletes=[b"a", b"b"])
    assert done == Result(True, 2)
    assert await keys(store) == [b"new"]


async def test_only_who_knows_the_latest_revision_swaps(store: Store) -> None:
    assert await store.compare_and_swap(b"a", 0, b"mine") == Result(True, 1)
    assert await store.compare_and_swap(b"a", 0, b"mine too") == Result(False, 1)
    assert await store.compare_and_swap(b"a", 1, b"mine again") == Result(True, 2)
    assert await store.compare_and_swap(b"a", 1, None) == Result(False, 2)
    assert await store.compare_and_swap(b"a", 2, None) == Result(True, 3)
    assert await store.get(b"a") is None


async def test_of_many_who_create_the_same_key_at_once_one_does(store: Store) -> None:
    results: list[Result] = []

    async def create(number: int) -> None:
        results.append(await store.compare_and_swap(b"a", 0, b"%d" % number))

    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(create, number)
    assert sorted(result.succeeded for result in results) == [False] * 19 + [True]


async def test_transactions_at_the_same_time_each_make_a_revision(store: Store) -> None:
    revisions: list[int] = []

    async def put(number: int) -> None:
        revisions.append((await store.txn(puts=[(b"%d" % number, b"")])).revision)

    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(put, number)
    assert sorted(revisions) == list(range(1, 21))
    assert len(await keys(store)) == 20


async def test_a_watch_tells_what_has_happened_since_a_revision_by_transaction(store: Store) -> None:
    await store.txn(puts=[(b"q/a", b"1"), (b"x/a", b"1")])
    await store.txn(puts=[(b"q/a", b"2"), (b"q/b", b"1")])
    await store.txn(puts=[(b"x/a", b"2")])
    await store.txn(deletes=[b"q/a"])
    assert await events(store, b"q/", 0, 3) == [
        [Event(b"q/a", b"1", 1)],
        [Event(b"q/a", b"2", 2), Event(b"q/b", b"1", 2)],
        [Event(b"q/a", None, 4)],
    ]
    assert await events(store, b"q/", 2, 1) == [[Event(b"q/a", None, 4)]]


async def test_a_watch_waits_for_what_is_to_come(store: Store) -> None:
    await store.txn(puts=[(b"a", b"1")])
    seen: list[list[Event]] = []

    async def look() -> None:
        seen.extend(await events(store, b"a", 1, 2))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(look)
        await wait_all_tasks_blocked()
        await store.txn(puts=[(b"b", b"1")])
        await store.txn(puts=[(b"a", b"2")])
        await store.txn(deletes=[b"a"])
    assert seen == [[Event(b"a", b"2", 3)], [Event(b"a", None, 4)]]


async def test_a_watch_far_behind_gets_everything_in_order(store: Store) -> None:
    for number in range(30):
        await store.txn(puts=[(b"%d/%d" % (number, place), b"") for place in range(50)])
    found = await events(store, b"", 0, 30)
    assert [item[0].revision for item in found] == list(range(1, 31))
    assert {len(item) for item in found} == {50}


async def test_a_watch_ends_when_the_store_is_closed(store: Store) -> None:
    ended = trio.Event()

    async def look() -> None:
        async with aclosing(store.watch(b"", 0)) as watch:
            assert [item async for item in watch] == []
        ended.set()

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(look)
            await wait_all_tasks_blocked()
            await store.close()
            await ended.wait()


async def test_a_closed_store_says_so(store: Store) -> None:
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.get(b"a")
    with pytest.raises(StoreError, match="closed"):
        await store.scan()
    with pytest.raises(StoreError, match="closed"):
        await store.txn(puts=[(b"a", b"")])
