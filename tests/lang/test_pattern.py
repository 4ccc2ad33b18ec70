"""Patterns of operators, as RabbitMQ's PCRE reads them, in bounded time."""

import re
from itertools import product

import pytest

from amq.lang import pattern as module
from amq.lang.pattern import PatternError, compile_filter, compile_pattern


def found(pattern: str, *names: str) -> list[str]:
    """Those of the names in which the pattern is found."""
    compiled = compile_pattern(pattern)
    return [name for name in names if compiled.search(name.encode("latin-1"))]


def test_a_pattern_is_searched_anywhere_and_the_empty_one_is_found_in_every_name() -> None:
    assert found("b", "abc", "ac") == ["abc"]
    assert found("", "", "a") == ["", "a"]


def test_names_are_octets() -> None:
    assert not compile_pattern("^.$").search("ä".encode())
    assert compile_pattern("^ä$").search("ä".encode())
    assert compile_pattern("^\udc80$").search(b"\x80")
    assert compile_pattern("^\ud800$").search("\ud800".encode("utf-8", "surrogatepass"))


def test_what_is_found_is_true_and_what_is_not_is_none_as_in_re() -> None:
    assert compile_pattern("a").search(b"a") is True
    assert compile_pattern("a").search(b"b") is None


CASES = [
    # The one that half of all mirroring policies have.
    (r"^(?!amq\.).*", ["amq.gen", "amqx", "", "x amq."], ["amqx", "", "x amq."]),
    (r"^amq\.", ["amq.gen", "xamq.", "amq"], ["amq.gen"]),
    ("^(orders|events)(-dlq)?$", ["orders", "events-dlq", "orders-", "xorders"], ["orders", "events-dlq"]),
    ("a{2}", ["a", "aa"], ["aa"]),
    ("^a{2,3}$", ["a", "aa", "aaa", "aaaa"], ["aa", "aaa"]),
    ("^a{2,}$", ["a", "aa", "aaaa"], ["aa", "aaaa"]),
    ("^(ab){2,}$", ["ab", "abab", "ababab", "aba"], ["abab", "ababab"]),
    ("^a{,2}$", ["a", "a{,2}"], ["a{,2}"]),
    ("^x{}$", ["x", "x{}"], ["x{}"]),
    ("^(a+)+$", ["aaa", "aab", ""], ["aaa"]),
    ("^(a*)*$", ["", "aa", "b"], ["", "aa"]),
    ("^(a|b)*c", ["c", "abbac", "adc"], ["c", "abbac"]),
    ("a(?=b)", ["ab", "ac", "a"], ["ab"]),
    ("a(?!b)", ["ab", "ac", "a"], ["ac", "a"]),
    ("(?<=b)a", ["ba", "ca", "a"], ["ba"]),
    ("(?<!b)a", ["ba", "ca", "a"], ["ca", "a"]),
    ("^(?=.*1)(?=.*[a-z]).{3}$", ["ab1", "abc", "1ab", "1abc"], ["ab1", "1ab"]),
    ("(?<=(?=ab).)b", ["ab", "bb"], ["ab"]),
    ("(?<!^)a", ["a", "ba"], ["ba"]),
    (r"\bcat\b", ["cat", "a cat!", "cats", "concat"], ["cat", "a cat!"]),
    (r"\Bcat", ["cat", "concat"], ["concat"]),
    ("^a$", ["a", "a\n", "a\n\n", "b\na"], ["a", "a\n"]),
    (r"^a\z", ["a", "a\n"], ["a"]),
    (r"\Aa\Z", ["a", "a\n", "b\na"], ["a", "a\n"]),
    ("(?m)^a$", ["b\na", "a\nb", "ba"], ["b\na", "a\nb"]),
    ("(?m)^$", ["a\n", "a\n\nb", ""], ["a\n\nb", ""]),
    ("(?m)^$b", ["", "a\n"], []),
    ("^a.b$", ["a\nb", "axb"], ["axb"]),
    ("(?s)^a.b$", ["a\nb", "axb"], ["a\nb", "axb"]),
    (r"^a\Nb$", ["a\nb", "axb"], ["axb"]),
    ("(?i)^AmQ", ["amq", "AMQ", "x"], ["amq", "AMQ"]),
    ("^a(?i)b|c", ["aB", "AB", "C"], ["aB", "C"]),
    ("^(a(?i)b)c$", ["aBc", "aBC"], ["aBc"]),
    ("^(?i:a)b$", ["Ab", "AB"], ["Ab"]),
    ("(?i)^[a-c]$", ["B", "b", "D"], ["B", "b"]),
    ("(?i)[^a]", ["A", "a", "b"], ["b"]),
    ("(?i)^[[:upper:]]$", ["a", "A", "1"], ["a", "A"]),
    ("(?x) ^ a # the first\n b $", ["ab", "a b"], ["ab"]),
    ("a(?#b)*c", ["aac", "c", "b"], ["aac", "c"]),
    (r"^\Qa.b\E$", ["a.b", "axb"], ["a.b"]),
    (r"^[\Q]^\E]$", ["]", "^", "Q"], ["]", "^"]),
    ("^[]a]$", ["]", "a", "b"], ["]", "a"]),
    ("^[^]a]$", ["]", "a", "b"], ["b"]),
    ("^[a-]$", ["a", "-", "b"], ["a", "-"]),
    (r"^[\d-z]$", ["5", "-", "z", "y"], ["5", "-", "z"]),
    ("^[[:alpha:]_]+[[:digit:]]$", ["ab_c7", "ab:7", "abc"], ["ab_c7"]),
    ("^[[:^alpha:]]$", ["a", "1"], ["1"]),
    (r"^\w+$", ["caf\xe9", "a_1", "a-b"], ["caf\xe9", "a_1"]),
    (r"^[^\W_]$", ["a", "_", "-"], ["a"]),
    (r"^\x41\x{42}\103\o{104}\0$", ["ABCD\0", "ABCD"], ["ABCD\0"]),
    (r"^[\101-\103]$", ["A", "C", "D"], ["A", "C"]),
    (r"^\a\e\f\n\r\t\cA$", ["\x07\x1b\x0c\n\r\t\x01"], ["\x07\x1b\x0c\n\r\t\x01"]),
    (r"^[\b]$", ["\x08", "b"], ["\x08"]),
    (r"^\y\.\-$", ["y.-", "x.-"], ["y.-"]),
    ("(?<name>a)(?P<other>b)(?'third'c)", ["abc", "ab"], ["abc"]),
    ("(?|a|b)c", ["ac", "bc", "c"], ["ac", "bc"]),
    ("(?x)^a{2} ?$", ["aa", "a"], ["aa"]),
    ("a*?b+?c??", ["aabbc", "ac"], ["aabbc"]),
    ("(?=a)*b", ["b"], ["b"]),
    ("(|a)b{0}c", ["c", "b"], ["c"]),
    ("[^\\s\\S]", ["a", ""], []),
]


@pytest.mark.parametrize(("pattern", "names", "expected"), CASES)
def test_a_pattern_means_what_it_means_to_rabbitmq(pattern: str, names: list[str], expected: list[str]) -> None:
    assert found(pattern, *names) == expected


@pytest.mark.parametrize(
    ("pattern", "problem", "position"),
    [
        ("(", "missing )", 1),
        ("(?:a", "missing )", 4),
        ("a)", "unmatched parentheses", 1),
        ("[a", "missing terminating ] for character class", 2),
        ("[]", "missing terminating ] for character class", 2),
        ("[z-a]", "range out of order in character class", 3),
        (r"[a-\d]", "invalid range in character class", 4),
        ("[[:foo:]]", "unknown POSIX class name", 3),
        ("[[.a.]]", "POSIX collating elements are not supported", 1),
        ("[:alpha:]", "POSIX named classes are supported only within a class", 0),
        ("*", "nothing to repeat", 0),
        ("a**", "nothing to repeat", 2),
        ("^*", "nothing to repeat", 1),
        (r"\b{2}", "nothing to repeat", 4),
        ("a|*", "nothing to repeat", 2),
        ("(?i)*", "nothing to repeat", 4),
        ("a{2,1}", "numbers out of order in {} quantifier", 5),
        ("a{70000}", "number too big in {} quantifier", 7),
        ("a{99999999999}", "number too big in {} quantifier", 13),
        ("\\", "\\ at end of pattern", 1),
        ("[\\", "\\ at end of pattern", 2),
        (r"\c", "\\c at end of pattern", 2),
        ("\\c\udcff", "\\c must be followed by an ASCII character", 2),
        (r"\x{", "non-hex character in \\x{} (closing brace missing?)", 3),
        (r"\x{}", "digits missing in \\x{} or \\o{}", 3),
        (r"\x{100}", "character value in \\x{} or \\o{} is too large", 6),
        (r"\o{8}", "non-octal character in \\o{} (closing brace missing?)", 3),
        (r"\o8", "missing opening brace after \\o", 1),
        (r"\400", "octal value is greater than \\377 in 8-bit non-UTF-8 mode", 3),
        (r"\L", "PCRE does not support \\L, \\l, \\N{name}, \\U, or \\u", 1),
        (r"\N{a}", "PCRE does not support \\L, \\l, \\N{name}, \\U, or \\u", 1),
        (r"[\N]", "\\N is not supported in a class", 2),
        ("(?z)", "unrecognized character after (? or (?-", 2),
        ("(?", "unrecognized character after (? or (?-", 2),
        ("(?P", "unrecognized character after (?P", 3),
        ("(?<>b)", "unrecognized character after (?<", 3),
        ("(?<1a>b)", "group name must start with a non-digit", 3),
        ("(?<n", "syntax error in subpattern name (missing terminator)", 4),
        ("(?#", "missing ) after comment", 3),
        # PCRE knows these, but they cannot be matched in bounded time, or not without captures.
        (r"(a)\1", "back references are not supported", 5),
        (r"\k<n>", "back references are not supported", 1),
        ("a++", "possessive quantifiers are not supported", 2),
        ("(?x)a+ +", "possessive quantifiers are not supported", 7),
        ("(?>a)", "atomic groups are not supported", 2),
        ("(?(1)a)", "conditions are not supported", 2),
        ("(?R)", "recursion and callouts are not supported", 2),
        ("(?-1)", "recursion and callouts are not supported", 2),
        ("(?P>n)", "back references and recursion are not supported", 3),
        ("(*FAIL)", "verbs are not supported", 1),
        (r"\K", "\\K is not supported", 1),
        (r"\pL", "\\p is not supported", 1),
        ("(" * 101 + ")" * 101, "parentheses are too deeply nested", 101),
        ("(ab|c){2000}", "regular expression is too large", 12),
        ("a" * 10_001, "it has 10001 octets, 10000 are allowed", 10_000),
    ],
)
def test_what_is_no_expression_is_refused_in_pcres_words_with_the_position(
    pattern: str, problem: str, position: int
) -> None:
    with pytest.raises(PatternError) as raised:
        compile_pattern(pattern)
    assert (raised.value.problem, raised.value.position) == (problem, position)
    assert str(raised.value).endswith(f" is not a usable regular expression: {problem} at position {position}")
    assert len(str(raised.value)) < 400


# Each takes `re` longer than anybody has time, with one name or another of 255 octets.
SLOW = [
    "(a+)+$",
    "(a|a)*$",
    "(a|aa)+$",
    "(.*)*x",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    ".*a" * 60 + "X",
    "(a?){150}a{200}",
    "(?=(a+)+$)b|(?!(a*)*$)c",
    "^(?:(?:aa|b)*(?:a|bb)*){50}X",
    "(" * 50 + "a" + "+)" * 50 + "$",
]


@pytest.mark.parametrize("pattern", SLOW)
def test_no_pattern_takes_longer_than_its_states_times_the_octets_of_a_name(
    pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[int] = []
    compiled = compile_pattern(pattern)
    assert compiled.states <= module.MOST_STATES

    class Counting(list[int]):
        """What a program's states take, which counts how often one is looked up."""

        def __getitem__(self, index: object) -> int:  # type: ignore[override]
            looked_up.append(1)
            return super().__getitem__(index)  # type: ignore[index,no-any-return,call-overload]

    program = compiled._program
    monkeypatch.setattr(program, "shifts", Counting(program.shifts))
    for name in (b"a" * 254 + b"b", b"a" * 255, b"ab" * 127 + b"c"):
        looked_up.clear()
        compiled.search(name)
        assert 0 < len(looked_up) <= compiled.states * (len(name) + 1)


def test_what_may_come_with_a_request_is_less_complicated() -> None:
    assert compile_filter("(?i)a{200}").search(b"A" * 200)
    with pytest.raises(PatternError, match="regular expression is too large"):
        compile_filter("a{1,200}")


def test_a_nested_plus_does_not_double_what_is_in_it() -> None:
    assert compile_pattern("(" * 50 + "ab" + ")+" * 50).states < 120


@pytest.mark.parametrize(
    "pattern", ["(ab|a)(bc|c)?", "a*(b|c)+a?", "((a|b)(c|))*b", "(?=.b)a|b(?<!ab)", "(a|b|c){2,3}$"]
)
def test_every_short_name_is_judged_as_re_judges_it(pattern: str) -> None:
    compiled, other = compile_pattern(pattern), re.compile(pattern.encode())
    for length in range(6):
        for letters in product(b"abc", repeat=length):
            name = bytes(letters)
            assert (compiled.search(name) is not None) == (other.search(name) is not None), name
