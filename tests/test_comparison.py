"""Networks side by side: whose order agrees, at which level each is, and what the document says of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mac_profiler.agreements import agreements
from mac_profiler.comparison import NO_LEVEL, Comparison, Contender, Counts
from mac_profiler.comparison_figures import draw_all
from mac_profiler.document import Screen
from mac_profiler.errors import InvalidInput, OutputFailed
from mac_profiler.layout import cells
from mac_profiler.league import describe_comparison
from mac_profiler.lineup import nearest_level, published_figures, same_network, with_levels, with_speed_ups, with_times
from mac_profiler.measurement import MODELS, Case, Measurement, Sample, Settings
from mac_profiler.ordering import Agreement, Order, Place, agreement, order_of
from mac_profiler.published import Published
from mac_profiler.report import render
from mac_profiler.tallies import ordered, tally
from tests.machines import measured

SETTINGS = Settings(processes=2)


def exactly(*values: float | None) -> Order:
    return order_of([None if value is None else Place(value) for value in values])


def counts(mult_adds: int, seconds: float = 1e-3, **changes: Any) -> Counts:
    return replace(Counts(mult_adds, 2 * mult_adds, 100, 50, 10, 400, 7, 3.0, 25.0, seconds), **changes)


def contender(name: str, mult_adds: int, seconds: float = 1e-3, **given: Any) -> Contender:
    return Contender(name, name, name, counts=counts(mult_adds, seconds), **given)


def printed(quantity: str, text: str, **given: str) -> dict[str, Published]:
    return {quantity: Published(quantity, text, "somewhere", **given)}


def comparison(*contenders: Contender, **given: Any) -> Comparison:
    return Comparison(contenders, "made-up (nobody's)", **{"title": "some networks", **given})


def timed(*contenders: Contender, seconds: tuple[float, ...], **given: Any) -> Comparison:
    """A comparison of which every network took the same in every sample."""
    found = {
        each.built_as: measured(Case(MODELS, "batch 1", each.built_as), own)
        for each, own in zip(contenders, seconds, strict=True)
    }
    with_all = with_times(contenders, found, SETTINGS)
    return with_speed_ups(comparison(*with_all, settings=SETTINGS, run="abc", store="file", **given))


# ------------------------------------------------------------------------------------------------------------- ordering


def test_pairs_agree_disagree_or_are_undecided() -> None:
    # a < b < c < d in one; the other swaps b and c, and has d as c: ab ac ad bd agree, bc does not, cd is a tie.
    assert agreement(exactly(1, 2, 3, 4), exactly(10, 30, 20, 20)) == Agreement(3, 2, 1)
    assert agreement(exactly(1, 2, 3), exactly(5, 6, 7)) == Agreement(3, 0, 0)
    assert agreement(exactly(1, 2, 3), exactly(7, 6, 5)) == Agreement(0, 3, 0)


def test_what_one_order_does_not_know_is_in_no_pair() -> None:
    assert agreement(exactly(1, None, 3), exactly(1, 2, 3)) == Agreement(1, 0, 0)
    assert agreement(exactly(1, 2), exactly(None, None)).pairs == 0


def test_things_of_two_settings_are_no_pair() -> None:
    first = order_of([Place(1, "8"), Place(2, "8"), Place(3, "1")])
    assert agreement(first, exactly(1, 2, 3)).pairs == 1
    assert agreement(exactly(1, 2, 3), first).pairs == 1


def test_the_share_is_of_the_decided() -> None:
    assert Agreement(3, 1, 96).share == 0.75
    assert Agreement(0, 0, 5).share is None


def test_pairs_are_of_those_that_are_asked_for() -> None:
    assert agreement(exactly(1, 2, 3, 4), exactly(1, 2, 4, 3), {1, 2, 3}) == Agreement(2, 1, 0)
    assert agreement(exactly(1, 2), exactly(1, 2), set()).pairs == 0


TWO_ORDERS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12)


@given(TWO_ORDERS)
def test_agreement_is_symmetric_and_counts_every_pair_once(both: list[tuple[int, int]]) -> None:
    first, second = [one for one, _ in both], [other for _, other in both]
    found = agreement(exactly(*first), exactly(*second))
    assert found == agreement(exactly(*second), exactly(*first))
    assert found == agreement(exactly(*first[::-1]), exactly(*second[::-1]))
    assert found.pairs == len(both) * (len(both) - 1) // 2
    assert agreement(exactly(*first), exactly(*first)).disagree == 0


@given(st.lists(st.integers(0, 1000), unique=True, max_size=12))
def test_an_order_agrees_with_itself_and_never_with_its_reverse(values: list[int]) -> None:
    pairs = len(values) * (len(values) - 1) // 2
    assert agreement(exactly(*values), exactly(*values)) == Agreement(pairs, 0, 0)
    assert agreement(exactly(*values), exactly(*(-value for value in values))) == Agreement(0, pairs, 0)


# --------------------------------------------------------------------------------------------------------------- levels


def test_a_level_is_the_papers_or_the_nearest() -> None:
    found = with_levels(
        [
            contender("igcv3_d_x0_7", 212_000_000),
            contender("mine", 212_000_000),
            contender("vgg16", 15_500_000_000),
            contender("units", 140_000_000, level=NO_LEVEL),
        ]
    )
    # The paper has 210M at 140M; by factors 300M is nearer.
    assert [(each.level, each.level_published) for each in found] == [
        ("140M", True), ("300M", False), ("", False), (NO_LEVEL, True),
    ]  # fmt: skip


def test_the_nearest_level_is_so_by_factors() -> None:
    # sqrt(40 * 140) = 74.8 lies as many times above the one as below the other.
    assert nearest_level(74e6) == "40M"
    assert nearest_level(76e6) == "140M"
    assert nearest_level(20.1e6) == "40M"
    assert nearest_level(19.9e6) == ""
    assert nearest_level(999e6) == "500M"
    assert nearest_level(1001e6) == ""
    assert nearest_level(0) == ""


def test_a_network_has_one_level_with_images_of_any_size() -> None:
    small, large = contender("mine", 150_000_000, setting="a"), contender("mine", 2_700_000_000, setting="b")
    assert [each.level for each in with_levels([small, large])] == ["140M", "140M"]


def test_figures_of_a_network_are_those_of_its_own_images() -> None:
    found = published_figures("shufflenet_v2_x1_0")
    assert {name: found[name].printed for name in ("mult_adds", "top1_error_percent")} == {
        "mult_adds": "146M", "top1_error_percent": "30.6",
    }  # fmt: skip
    # The appendix has 525, with images of 320x320, one at once.
    assert found["gpu_batches_per_second"].printed == "341"
    assert found["arm_images_per_second"].printed == "24.4"
    assert published_figures("nobody's") == {}


def test_the_same_network_is_found() -> None:
    one = contender("vgg16", 1)
    assert same_network("vgg16", [contender("resnet50", 1), one]) is one
    assert same_network("alexnet", [one]) is None


# ----------------------------------------------------------------------------------------------------------- agreements


def test_whose_order_agrees_within_levels_and_over_all() -> None:
    found = comparison(
        contender("a", 38, 1.0, level="40M", figures=printed("gpu_batches_per_second", "400")),
        contender("b", 42, 2.0, level="40M", figures=printed("gpu_batches_per_second", "500")),
        contender("c", 140, 3.0, level="140M", figures=printed("gpu_batches_per_second", "300")),
        contender("d", 150, 2.5, level="140M", figures=printed("gpu_batches_per_second", "200")),
        contender("e", 9999, 0.1),
    )
    judged = {(each.order, each.beside): each for each in agreements(found)}
    assert set(judged) == {("predicted", "GPU"), ("predicted", "multiply-adds"), ("GPU", "multiply-adds")}
    gpu = judged["predicted", "GPU"]
    # ab and cd are the other way; the four across agree. e has no speed in print.
    assert gpu.overall == Agreement(4, 2, 0)
    assert gpu.within == Agreement(0, 2, 0)
    assert gpu.by_level == {"40M": Agreement(0, 1, 0), "140M": Agreement(0, 1, 0)}
    assert gpu.several
    # e is last by multiply-adds and first by time.
    assert judged["predicted", "multiply-adds"].overall == Agreement(5, 5, 0)


def test_a_network_that_is_printed_twice_is_one() -> None:
    twice = comparison(contender("a", 1, row="one"), contender("b", 2), contender("a", 1, row="other"))
    assert len(twice.networks) == 2
    assert agreements(twice)[0].overall.pairs == 1
    # With other images it is another.
    assert len(comparison(contender("a", 1, setting="x"), contender("a", 1, setting="y")).networks) == 2


def test_batches_of_other_sizes_are_no_pair() -> None:
    def of(batch: str) -> dict[str, Published]:
        return printed("gpu_batches_per_second", "100", conditions=f"input_size 320x320, gpu_batch_size {batch}")

    found = comparison(contender("a", 1, figures=of("8")), contender("b", 2, figures=of("1")))
    assert {(each.order, each.beside) for each in agreements(found)} == {("predicted", "multiply-adds")}


def test_time_is_compared_image_by_image() -> None:
    # Four images in 3 seconds are faster than one in 1 second, but no pair with it: the batch is another.
    many = replace(contender("many", 400, 3.0), images=4)
    assert (many.mult_adds, many.predicted) == (100, 0.75)
    assert [each.overall.pairs for each in agreements(comparison(many, contender("one", 90, 1.0)))] == []


def test_a_printed_time_is_a_speed_on_arm() -> None:
    one = contender("a", 1, 1.0, figures=printed("seconds", "15.2ms"))
    two = contender("b", 2, 2.0, figures=printed("seconds", "1.2ms"))
    assert one.published_arm == pytest.approx(0.0152)
    (judged,) = (each for each in agreements(comparison(one, two)) if (each.order, each.beside) == ("predicted", "ARM"))
    assert judged.overall == Agreement(0, 1, 0)


# ------------------------------------------------------------------------------------------------------------- measured


def test_measured_times_have_rates_and_ratios() -> None:
    found = timed(contender("a", 40, 1.0), contender("b", 20, 2.0), seconds=(0.01, 0.02), baseline="a")
    first, second = (tally(found, each) for each in found.contenders)
    assert first["rate"] == pytest.approx(100)
    assert second["rate"] == pytest.approx(50)
    assert (second["low_rate"], second["high_rate"]) == (pytest.approx(50), pytest.approx(50))
    assert second["measured_speed_up"] == pytest.approx(0.5)
    assert second["low_speed_up"] <= 0.5 <= second["high_speed_up"]
    assert second["theoretical_speed_up"] == 2.0
    assert second["predicted_speed_up"] == 0.5
    assert (first["measured_speed_up"], first["low_speed_up"]) == (1.0, None)
    judged = {(each.order, each.beside): each.overall for each in agreements(found)}
    assert judged["measured", "predicted"] == Agreement(1, 0, 0)
    assert judged["measured", "multiply-adds"] == Agreement(0, 1, 0)


def rounds(*seconds: float, process: int) -> tuple[Sample, ...]:
    return tuple(Sample(process, number, each) for number, each in enumerate(seconds))


def test_measured_networks_are_compared_round_by_round() -> None:
    # The machine was twice as slow for the second process: the medians' intervals overlap, every round says the same.
    paces = [1 + number / 100 for number in range(10)]
    slow, fast, twin = (
        Measurement(
            Case(MODELS, "batch 1", name),
            rounds(*(cost * pace for pace in paces), process=0)
            + rounds(*(2 * cost * pace for pace in paces), process=1),
            "time is up",
        )
        for name, cost in (("slow", 1.1), ("fast", 1.0), ("twin", 1.001))
    )  # fmt: skip
    networks = contender("slow", 10), contender("fast", 20), contender("twin", 30)
    with_all = with_times(networks, {each.case.name: each for each in (slow, fast, twin)}, SETTINGS)
    found = comparison(*with_all, settings=SETTINGS)
    intervals = [each.median for each in found.contenders if each.median is not None]
    assert intervals[1].low < intervals[0].low < intervals[1].high
    judged = {(each.order, each.beside): each.overall for each in agreements(found)}
    # The slow one has the fewest multiply-adds; the other two are the same within 1 %.
    assert judged["measured", "multiply-adds"] == Agreement(0, 2, 1)


def test_networks_that_share_no_round_have_no_speed_up() -> None:
    one = Measurement(Case(MODELS, "batch 1", "a"), rounds(1, 1, 1, process=0), "time is up")
    other = Measurement(Case(MODELS, "batch 1", "b"), rounds(2, 2, 2, process=1), "time is up")
    with_all = with_times([contender("a", 1), contender("b", 2)], {"a": one, "b": other}, SETTINGS)
    found = with_speed_ups(comparison(*with_all, settings=SETTINGS, baseline="a"))
    assert tally(found, found.contenders[1])["measured_speed_up"] is None


def test_networks_that_share_no_round_are_undecided() -> None:
    one = Measurement(Case(MODELS, "batch 1", "a"), rounds(1, 1, 1, process=0), "time is up")
    other = Measurement(Case(MODELS, "batch 1", "b"), rounds(2, 2, 2, process=1), "time is up")
    with_all = with_times([contender("a", 1), contender("b", 2)], {"a": one, "b": other}, SETTINGS)
    judged = {(each.order, each.beside): each.overall for each in agreements(comparison(*with_all, settings=SETTINGS))}
    assert judged["measured", "multiply-adds"] == Agreement(0, 0, 1)


def test_a_speed_up_counts_images() -> None:
    many = replace(contender("many", 80, 1.0), images=8)
    found = timed(contender("one", 10, 1.0), many, seconds=(0.01, 0.04), baseline="one")
    # Eight in four times the time.
    assert tally(found, found.contenders[1])["measured_speed_up"] == pytest.approx(2.0)
    assert tally(found, found.contenders[1])["theoretical_speed_up"] == 1.0


def test_a_baseline_is_that_with_images_of_the_same_size() -> None:
    small, large = contender("a", 10, setting="s"), contender("a", 100, setting="l")
    found = comparison(small, contender("b", 5, setting="s"), large, contender("b", 50, setting="l"), baseline="a")
    assert [tally(found, each)["theoretical_speed_up"] for each in found.contenders] == [1, 2, 1, 2]


def test_what_failed_is_said_and_has_no_time() -> None:
    failed = Measurement(Case(MODELS, "batch 1", "a"), (), "failed: too narrow")
    (one,) = with_times([contender("a", 1)], {"a": failed}, SETTINGS)
    assert one.median is None
    document = describe_comparison(comparison(one, contender("b", 2), settings=SETTINGS))
    assert document.warnings[0] == "a: not measured: failed: too narrow"


# ------------------------------------------------------------------------------------------------- published complexity


@pytest.mark.parametrize(
    ("mult_adds", "figure", "said"),
    [
        (101, printed("mult_adds", "100"), ""),
        (110, printed("mult_adds", "100", reading="biases added", note="by their code"), "biases added; by their code"),
        (110, printed("mult_adds", "100", reading="not reproduced", note="its width is not said"), "its width is not"),
        (1_449_000, printed("mult_adds", "1M"), "printed with few digits"),
        (110, printed("mult_adds", "100"), "no reason is known"),
    ],
)
def test_a_difference_has_its_reason(mult_adds: int, figure: dict[str, Published], said: str) -> None:
    found = contender("a", mult_adds, figures=figure).reason
    assert found.startswith(said) if said else found == ""


def test_complexity_is_that_of_an_image() -> None:
    eight = replace(contender("a", 816, figures=printed("mult_adds", "100")), images=8)
    assert eight.apart == pytest.approx(0.02)


def test_what_cannot_be_built_is_there_with_what_was_printed() -> None:
    missing = Contender("c", "", "c", figures=printed("mult_adds", "7M"), missing="nobody knows it")
    found = tally(comparison(missing, contender("a", 1)), missing)
    assert (found["published_mult_adds"], found["mult_adds"], found["reason"]) == (
        "7M", None, "not built: nobody knows it",
    )  # fmt: skip
    text = render(describe_comparison(comparison(missing, contender("a", 1))), "text", Screen(80))
    assert "not built: nobody knows it" in text
    assert len(comparison(missing, contender("a", 1)).networks) == 2


# ------------------------------------------------------------------------------------------------------------- document

A_FEW = comparison(
    contender("b", 150, 2.0, level="140M", figures=printed("gpu_batches_per_second", "2")),
    contender("c", 38, 1.5, level="40M", figures=printed("gpu_batches_per_second", "3")),
    contender("a", 140, 3.0, level="140M", figures=printed("gpu_batches_per_second", "1")),
    contender("z", 900_000_000 * 10, 9.0),
)


def test_rows_go_by_level_and_multiply_adds() -> None:
    assert [each.label for each in ordered(A_FEW, None)] == ["c", "a", "b", "z"]
    big, small = contender("big", 600_000_000), contender("small", 3_000_000)
    middle = contender("middle", 200_000_000, level="140M")
    assert [each.label for each in ordered(comparison(big, middle, small), None)] == ["small", "middle", "big"]


def test_rows_go_by_a_column_largest_first() -> None:
    assert [each.label for each in ordered(A_FEW, "predicted-seconds")] == ["z", "a", "b", "c"]
    # What is not known is last.
    assert [each.label for each in ordered(A_FEW, "published_gpu_rate")] == ["c", "b", "a", "z"]
    for wrong in ("predicted_second", "model"):
        with pytest.raises(InvalidInput, match="cannot sort by"):
            ordered(A_FEW, wrong)


def test_a_level_is_named_once_in_text_and_on_every_row_of_csv() -> None:
    text = render(describe_comparison(A_FEW), "text", Screen(80))
    costs = text.partition("How they are built")[0].splitlines()
    assert [line.split()[0] for line in costs[-5:-1]] == ["40M", "140M", "b", "none"]
    raw = render(describe_comparison(A_FEW, whole=True), "csv", Screen(80)).splitlines()
    column = raw[0].split(",").index("level")
    assert [line.split(",")[column] for line in raw[1:]] == ["40M", "140M", "140M", ""]


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    names = [f"a_network_with_quite_a_long_name_{i}_of_a_folder/net.py:build" for i in range(4)]
    long = [contender(name, 40_000_000 + i, level="40M" if i % 2 else "140M") for i, name in enumerate(names)]
    found = timed(*long, seconds=(0.1, 0.02, 0.3, 0.4), baseline=names[0])
    text = render(describe_comparison(found), "text", Screen(width))
    assert max(map(cells, text.splitlines())) <= width


def test_the_text_says_in_how_many_pairs() -> None:
    notes = " ".join(describe_comparison(A_FEW).notes)
    assert (
        "The order of predicted speed agrees with the paper's order on GPU in 1 of 1 pairs (0 the other way) of one "
        "level, and in 3 of 3 pairs (0 the other way) in all; with the order of multiply-adds in 0 of 1 pairs "
        "(1 the other way) of one level, and in 5 of 6 pairs (1 the other way) in all."
    ) in notes
    assert "at none, being more than twice as large or small as any: z" in notes
    two = timed(contender("a", 1), contender("b", 2), seconds=(0.1, 0.1))
    assert (
        "The order of measured speed agrees with the order of multiply-adds in 0 of 1 pairs (0 the other way, 1 "
        in (" ".join(describe_comparison(two).notes))
    )


def test_json_holds_everything() -> None:
    found = json.loads(json.dumps(dict(describe_comparison(A_FEW).data())))
    assert found["schema_version"] == 1
    assert found["levels"] == ["40M", "140M"]
    assert [each["model"] for each in found["models"]] == ["c", "a", "b", "z"]
    assert found["models"][0]["published"] == {"gpu_batches_per_second": "3"}
    (gpu,) = (each for each in found["agreements"] if (each["order"], each["beside"]) == ("predicted", "GPU"))
    assert gpu["overall"] == {"pairs": 3, "agree": 3, "disagree": 0, "undecided": 0, "agree_share": 1.0}
    assert gpu["levels"] == {"140M": {"pairs": 1, "agree": 1, "disagree": 0, "undecided": 0, "agree_share": 1.0}}


def test_warnings_that_differ_in_a_figure_are_one() -> None:
    def noisy(name: str, share: int) -> Contender:
        taken = measured(Case(MODELS, "batch 1", name), 0.1)
        return replace(contender(name, 1), measurement=replace(taken, warnings=(f"noisy: {share}% off",)))

    assert describe_comparison(comparison(noisy("a", 10), noisy("b", 23))).warnings == ("noisy: 10% off (a, b)",)


def test_what_is_not_counted_whole_is_a_lower_bound() -> None:
    some = replace(contender("a", 1), counts=counts(1, complete=False))
    document = describe_comparison(comparison(some, contender("b", 2)))
    assert document.partial
    assert "lower bounds: a" in document.warnings[0]


# -------------------------------------------------------------------------------------------------------------- figures

NAMES = ("error_against_cost", "rank_change", "speed_against_mult_adds")


def drawn(found: Comparison, folder: Path) -> set[str]:
    written = draw_all(found, folder)
    assert sorted(written) == sorted(folder.iterdir())
    assert {path.suffix for path in written} <= {".png", ".svg"}
    return {path.stem for path in written}


def test_figures_are_drawn_of_what_there_is(tmp_path: Path) -> None:
    error = printed("top1_error_percent", "30.1")
    everything = timed(
        contender("a", 10_000, figures=error), contender("b", 20_000, figures=error), contender("c", 90_000),
        seconds=(0.1, 0.2, 0.3),
    )  # fmt: skip
    assert drawn(everything, tmp_path / "all") == set(NAMES)
    plain = comparison(contender("a", 1_000_000), contender("b", 2_000_000))
    assert drawn(plain, tmp_path / "plain") == set(NAMES[1:])
    equal = comparison(contender("a", 1_000_000), contender("b", 1_010_000))
    assert drawn(equal, tmp_path / "equal") == {"rank_change"}


def test_the_same_figures_are_the_same_files(tmp_path: Path) -> None:
    draw_all(A_FEW, tmp_path / "one")
    draw_all(A_FEW, tmp_path / "two")
    for path in (tmp_path / "one").glob("*.svg"):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_no_two_texts_of_a_figure_lie_on_each_other() -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.text import Text

    from mac_profiler.comparison_figures import rank_change, speed_against_mult_adds

    many = [
        contender(f"{chr(97 + i)}_network_of_some_length", 2**i * 10**7, 1e-3 * (i % 5 + 1), level=level)
        for i, level in enumerate(("40M", "140M", "300M", "500M") * 3)
    ]
    for module in (rank_change, speed_against_mult_adds):
        figure = module.draw(comparison(*many))
        figure.canvas.draw()
        shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
        # Ticks beyond an axis are made and not drawn.
        inside = [text for text in shown if figure.bbox.overlaps(text.get_window_extent())]
        ticks = {tick for panel in figure.axes for tick in (*panel.get_xticklabels(), *panel.get_yticklabels())}
        seen = {
            tick
            for panel in figure.axes
            if panel.axison
            for axis in (panel.xaxis, panel.yaxis)
            for tick, place in zip(axis.get_ticklabels(), axis.get_ticklocs(), strict=False)
            if axis.get_view_interval()[0] <= place <= axis.get_view_interval()[1]
        }
        boxes = [text.get_window_extent() for text in inside if text not in ticks or text in seen]
        assert len(boxes) > len(many)
        on_each_other = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
        assert on_each_other == []
        plt.close(figure)


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFailed, match="cannot write figures"):
        draw_all(A_FEW, tmp_path / "file" / "folder")
