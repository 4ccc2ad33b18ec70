"""The topic exchange: patterns of words, kept in a trie so that cost grows with the words of a key.

    logs.*.app   logs.#          root --logs--> o --*--> o --app--> (queue)
                                                 \\--#--> (queue)   <- stays here for any number of words

Words are what stands between dots; `*` stands for one word, `#` for zero or more. An empty key has no words.
Matching walks all states that a key can be in at once, each at most once per word, as a regular expression is run
without backtracking: many `#` in a pattern multiply nothing.
"""

from typing import ClassVar

from amq.destination import Destination
from amq.exchanges.base import Binding, Exchange, count_in, count_out
from amq.message import Message
from amq.wire.tables import Table


class Node:
    """A place in the trie: what was matched so far led here.

    `tail` is the child that `#` leads to; it `repeats`, taking any word without moving. `stamp` is the step of a
    walk that met it last.
    """

    __slots__ = ("children", "star", "tail", "repeats", "destinations", "stamp")

    def __init__(self, repeats: bool) -> None:
        self.children: dict[bytes, Node] | None = None
        self.star: Node | None = None
        self.tail: Node | None = None
        self.repeats = repeats
        self.destinations: dict[Destination, int] = {}
        self.stamp: int = 0

    def is_empty(self) -> bool:
        """Nothing ends here and nothing leads on."""
        return not (self.destinations or self.children or self.star or self.tail)

    def child(self, word: bytes) -> "Node | None":
        """Where a word of a pattern leads."""
        if word == b"*":
            return self.star
        if word == b"#":
            return self.tail
        return None if self.children is None else self.children.get(word)

    def grow(self, word: bytes) -> "Node":
        """Where a word of a pattern leads, made if it is not there."""
        found = self.child(word)
        if found is None:
            found = Node(word == b"#")
            if word == b"*":
                self.star = found
            elif word == b"#":
                self.tail = found
            elif self.children is None:
                self.children = {word: found}
            else:
                self.children[word] = found
        return found

    def cut(self, word: bytes) -> None:
        """Drop the child that a word of a pattern leads to."""
        if word == b"*":
            self.star = None
        elif word == b"#":
            self.tail = None
        elif self.children is not None:
            del self.children[word]


class Topic(Exchange):
    """A trie of patterns. `step` counts every step of every walk, so that a stamp is never mistaken for another's."""

    __slots__ = ("root", "step")
    type_name: ClassVar[str] = "topic"
    by_key: ClassVar[bool] = True

    def __init__(self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        self.root = Node(False)
        self.step: int = 0

    def add(self, binding: Binding) -> None:
        """Enter the destination at the end of its pattern."""
        node = self.root
        for word in pattern_words(binding.routing_key):
            node = node.grow(word)
        count_in(node.destinations, binding.destination)

    def remove(self, binding: Binding) -> None:
        """Take the destination out and prune what leads nowhere any more."""
        words = pattern_words(binding.routing_key)
        path = [self.root]
        for word in words:
            node = path[-1].child(word)
            assert node is not None, "a binding that was added has a path"
            path.append(node)
        count_out(path[-1].destinations, binding.destination)
        while words and path.pop().is_empty():
            path[-1].cut(words.pop())

    def route(self, routing_key: bytes, message: Message, found: list[Destination]) -> None:
        """Append what is bound with a pattern that the key matches."""
        states: list[Node] = [self.root]
        if self.root.tail is not None:
            states.append(self.root.tail)
        step: int = self.step
        for word in routing_key.split(b".") if routing_key else ():
            step += 1
            reached: list[Node] = []
            for node in states:
                if node.children is not None:
                    child = node.children.get(word)
                    if child is not None:
                        reached.append(child)
                if node.star is not None:
                    reached.append(node.star)
                if node.repeats:
                    node.stamp = step
                    reached.append(node)
            # A tail takes zero words too: whoever reached its parent reached it. No tail has a tail of its own.
            for node in reached:
                tail = node.tail
                if tail is not None and tail.stamp != step:
                    tail.stamp = step
                    reached.append(tail)
            states = reached
            if not states:
                break
        self.step = step
        for node in states:
            if node.destinations:
                found.extend(node.destinations)


def pattern_words(pattern: bytes) -> list[bytes]:
    """The words of a binding's pattern; `#.#` says no more than `#`, and becomes it."""
    words: list[bytes] = []
    for word in pattern.split(b".") if pattern else ():
        if word != b"#" or not words or words[-1] != b"#":
            words.append(word)
    return words
