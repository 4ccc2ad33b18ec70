"""Charts as SVG: what can be read in them, where it stands, and that nothing given becomes markup."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from amq.perf.plot import Chart, Series, description, document, svg
from amq.perf.scale import Axis, scale
from amq.perf.units import COUNT, OCTETS, PERCENT, PERCENTILE, SECONDS, Unit

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = """</title><script>alert(1)</script>"'&\x00\x1b\u202e\ud800"""


def chart(*series: Series, x: Axis | None = None, y: Axis | None = None, title: str = "Title") -> Chart:
    return Chart(title, x or Axis("elapsed", SECONDS), y or Axis("messages/s"), series)


def drawn(shown: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(svg(shown))


def texts(shown: Chart) -> list[str]:
    return [each.text or "" for each in drawn(shown).iter(f"{SVG}text")]


def places(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]


def paths(shown: Chart, kind: str) -> list[str]:
    return [each.get("d", "") for each in drawn(shown).iter(f"{SVG}path") if kind in each.get("class", "").split()]


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (COUNT, 0, "0"),
        (COUNT, 0.25, "0.25"),
        (COUNT, 7, "7"),
        (COUNT, 950, "950"),
        (COUNT, 1000, "1k"),
        (COUNT, 1250, "1.25k"),
        (COUNT, 12_340, "12.3k"),
        (COUNT, 999_960, "1M"),
        (COUNT, 343_210, "343k"),
        (COUNT, 1_500_000, "1.5M"),
        (COUNT, float("nan"), "-"),
        (OCTETS, 0, "0"),
        (OCTETS, 16, "16 B"),
        (OCTETS, 4096, "4 KiB"),
        (OCTETS, 1.5 * 2**20, "1.5 MiB"),
        (OCTETS, 3 * 2**30, "3 GiB"),
        (SECONDS, 25e-9, "25 ns"),
        (SECONDS, 340e-6, "340 µs"),
        (SECONDS, 0.0015, "1.5 ms"),
        (SECONDS, 12, "12 s"),
        (SECONDS, 599, "599 s"),
        (SECONDS, 5400, "90 min"),
        (SECONDS, 90_000, "25 h"),
        (PERCENT, 12.5, "12.5 %"),
        (PERCENTILE, 1, "0 %"),
        (PERCENTILE, 2, "50 %"),
        (PERCENTILE, 100, "99 %"),
        (PERCENTILE, 1000, "99.9 %"),
        (PERCENTILE, 10_000, "99.99 %"),
    ],
)
def test_amounts_are_written_with_three_digits_at_most(unit: Unit, value: float, text: str) -> None:
    assert unit.text(value) == text


@pytest.mark.parametrize(
    ("axis", "values", "ticks"),
    [
        (Axis(""), [3, 343_000], [0, 100_000, 200_000, 300_000, 400_000]),
        (Axis(""), [0], [0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]),
        (Axis(""), [], [0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]),
        (Axis("", OCTETS), [3 * 2**20], [0, 2**20, 2 * 2**20, 3 * 2**20]),
        (Axis("", OCTETS), [4000 * 2**20], [0, 2**30, 2 * 2**30, 3 * 2**30, 4 * 2**30]),
        (Axis("", SECONDS), [290], [0, 60, 120, 180, 240, 300]),
        (Axis("", log=True), [3, 40_000], [1, 10, 100, 1000, 10_000, 100_000]),
        (Axis("", OCTETS, log=True), [16, 1024], [16, 64, 256, 1024]),
        (Axis("", OCTETS, log=True), [0, 16, 1024], [0, 16, 64, 256, 1024]),
        (Axis("", most=90), [3], [0, 20, 40, 60, 80, 100]),
    ],
)
def test_an_axis_has_round_ticks_that_enclose_what_it_shows(
    axis: Axis, values: list[float], ticks: list[float]
) -> None:
    assert scale(axis, values, 7 if axis.log else 5).ticks() == pytest.approx(ticks)


def test_an_axis_that_ends_with_its_data_has_the_ticks_in_between() -> None:
    tight = scale(Axis("", SECONDS), [0, 33], 4, tight=True)
    assert (tight.high, tight.ticks()) == (33, [0, 10, 20, 30])


def test_a_logarithmic_axis_has_no_more_ticks_than_asked_for_and_equal_distances() -> None:
    made = scale(Axis("", log=True), [1, 1e12], 7)
    assert made.ticks() == pytest.approx([10.0**power for power in range(0, 13, 2)])
    assert [made.part(tick) for tick in made.ticks()] == pytest.approx([number / 6 for number in range(7)])


def test_zero_has_a_place_of_its_own_on_a_logarithmic_axis() -> None:
    made = scale(Axis("", log=True), [0, 10, 1000], 7)
    assert made.part(0) == 0 < made.part(10) < made.part(1000) == 1


def test_higher_values_stand_higher_and_later_ones_further_right() -> None:
    [line] = [path for path in paths(chart(Series("a", [(0, 10), (5, 20), (10, 5)])), "plot-line") if "L" in path]
    (x0, y0), (x1, y1), (x2, y2) = places(line)
    assert x0 < x1 < x2
    assert y1 < y0 < y2
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)


def test_a_point_without_a_value_interrupts_the_line() -> None:
    series = Series("a", [(0, 1), (1, 2), (2, None), (3, float("nan")), (4, 1), (5, 2)])
    [line] = paths(chart(series), "plot-line")
    assert line.count("M") == 2 and line.count("L") == 2


def test_a_step_holds_until_the_next_begins() -> None:
    [line] = paths(chart(Series("a", [(0, 10), (5, 20), (10, 0)], "steps")), "plot-line")
    corners = places(line)
    assert [corners[0][1], corners[2][1]] == [corners[1][1], corners[3][1]]
    assert corners[1][0] == corners[2][0] and len(corners) == 4


def test_an_area_is_filled_down_to_the_axis() -> None:
    shown = chart(Series("a", [(0, 10), (5, 20)], "area"))
    [area] = paths(shown, "plot-area")
    [axis] = paths(shown, "plot-axis")
    assert area.endswith("Z") and places(area)[-1][1] == places(axis)[0][1]


def test_several_series_have_a_legend_and_differ_in_colour_and_mark() -> None:
    shown = chart(*(Series(f"series {number}", [(0, number), (1, 2)]) for number in range(8)))
    assert {f"series {number}" for number in range(8)} <= set(texts(shown))
    strokes = [path for path in drawn(shown).iter(f"{SVG}path") if "plot-line" in path.get("class", "")]
    looks = [(each.get("class"), each.get("stroke-dasharray")) for each in strokes]
    assert len(set(looks)) == 8


def test_a_single_series_needs_no_legend() -> None:
    assert "alone" not in texts(chart(Series("alone", [(0, 1)])))


def test_a_mark_tells_its_values_and_long_series_have_no_marks() -> None:
    few = drawn(chart(Series("amq", [(1, 343_000)])))
    assert "amq: 343k at 1 s" in [title.text for title in few.iter(f"{SVG}title")]
    many = chart(Series("amq", [(at, 1) for at in range(1000)]))
    assert not paths(many, "plot-mark")


def test_labels_of_ticks_do_not_overlap_and_stay_inside() -> None:
    shown = chart(Series("a", [(1, 1), (1e6, 2)]), x=Axis("percentile", PERCENTILE, log=True))
    labels = [each for each in drawn(shown).iter(f"{SVG}text") if each.get("text-anchor") == "middle"]
    spans = sorted(
        (float(each.get("x", "0")) - 4 * len(each.text or ""), float(each.get("x", "0")) + 4 * len(each.text or ""))
        for each in labels
    )
    assert len(spans) >= 3 and spans[-1][1] <= 480
    assert all(left[1] < right[0] for left, right in pairwise(spans))


def test_whoever_does_not_see_the_chart_is_told_what_it_shows() -> None:
    shown = chart(Series("amq", [(0, 100), (10, 3000), (20, 2000)]), Series("other", []))
    root = drawn(shown)
    titles = {each.get("id"): each.text for each in [*root.iter(f"{SVG}title"), *root.iter(f"{SVG}desc")]}
    title, desc = [titles[name] for name in root.get("aria-labelledby", "").split()]
    assert root.get("role") == "img" and title == "Title"
    assert desc == description(shown)
    assert "amq: 100 at 0, 2k at 20 s, at most 3k at 10 s." in desc and "other: no data." in desc


def test_what_others_call_things_is_text_whatever_it_contains() -> None:
    axis = Axis(HOSTILE, OCTETS)
    shown = chart(Series(HOSTILE, [(1, 1)]), Series("b", [(1, 2)]), x=axis, y=axis, title=HOSTILE)
    root = ElementTree.fromstring(document(shown).encode())
    assert not [each for each in root.iter() if "script" in each.tag]
    assert "\x1b" not in svg(shown) and "\u202e" not in svg(shown)


@pytest.mark.parametrize("look", ["line", "area", "steps"])
@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("points", [[], [(0, 0)], [(5, None)], [(3, 7)], [(0, 0), (0, 0)], [(1e-9, 1e300), (1e9, 1)]])
def test_charts_of_little_or_odd_data_are_drawn(points: list[tuple[float, float | None]], log: bool, look: str) -> None:
    for tight in (True, False):
        axis = Axis("a", SECONDS, log=log)
        made = svg(Chart("odd", axis, axis, [Series("s", points, look)], tight))
        assert "nan" not in made and "inf" not in made
        ElementTree.fromstring(made)


def test_light_dark_and_paper_have_their_colours() -> None:
    style = svg(chart(Series("a", [(0, 1)])))
    assert "@media screen and (prefers-color-scheme:dark)" in style
    assert "<style>" not in svg(chart(Series("a", [(0, 1)])), styled=False)
