"""The store: what was written is there, once, whatever happened since; runs are told apart and gone on with."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mac_profiler.errors import StoreFailed, UnknownName
from mac_profiler.measurement import Case, Measurement, Sample
from mac_profiler.store import default_path, holder, open_store
from tests.storing import CASES, MACHINE, SETTINGS, a_round, begin, content, sample


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "results.sqlite"


# ------------------------------------------------------------------------------------------------------ write and read


def test_what_is_written_is_read(file: Path) -> None:
    with open_store(file) as store, begin(store) as run:
        assert (run.done(), run.next_process(), run.samples(CASES[0].key), run.resumed) == (set(), 0, [], False)
        run.add(a_round(0, 1))
        run.add(a_round(0, 0))
        run.finish(Measurement(CASES[0], (sample(0, 0), sample(0, 2)), "precise", ("noisy: rest",), 512))
        assert run.done() == {CASES[0].key}
        assert run.next_process() == 1
        assert run.samples(CASES[0].key) == [sample(0, 1), sample(0, 0), sample(0, 2)]
        assert store.runs()[0].state == "running"
        run.end()
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    with open_store(file, read_only=True) as store:
        (summary,) = store.runs()
        assert (summary.id, summary.state, summary.process) == (run.id, "finished", None)
        assert (summary.cases, summary.done, summary.samples) == (3, 1, 7)
        assert (summary.settings, summary.benchmarks) == (SETTINGS.as_json(), ("g1",))
        assert summary.finished is not None
        assert summary.started <= summary.finished
        first, second, _ = store.measurements(run.id)
        assert first == Measurement(
            CASES[0], (sample(0, 1), sample(0, 0), sample(0, 2)), "precise", ("noisy: rest",), 512,
            {"cpu": "one", "cores": 2},
        )  # fmt: skip
        assert (second.stopped, second.case.axes) == ("unfinished", CASES[1].axes)


def test_a_case_is_done_when_as_many_processes_have_ended_as_are_asked_for(file: Path) -> None:
    case = CASES[0]
    with open_store(file) as store, begin(store) as run:
        for process, stopped in enumerate(["precise", "time is up"]):
            assert run.done() == set()
            assert run.next_process() == process
            end = Measurement(case, (sample(process, 0),), stopped, ("throttled: cool it",), 10 * process)
            run.finish(end, process=process)
            run.finish(end, process=process)
            assert store.measurements("last")[0].stopped == ("unfinished" if process == 0 else "precise; time is up")
        assert run.done() == {case.key}
        (whole,) = store.measurements("last")
    assert whole.stopped == "precise; time is up"
    assert (whole.warnings, whole.peak_bytes, len(whole.samples)) == (("throttled: cool it",), 10, 2)


def test_a_round_is_written_as_a_whole_or_not_at_all(file: Path) -> None:
    with open_store(file) as store, begin(store) as run:
        run.add(a_round(0, 0))
        broken = [(CASES[0], sample(0, 1)), (CASES[1], replace(sample(0, 1), seconds=float("nan")))]
        with pytest.raises(StoreFailed, match="nan s is no time"):
            run.add(broken)
        assert [len(run.samples(case.key)) for case in CASES] == [1, 1, 1]
        run.add(a_round(0, 1))
        assert [len(run.samples(case.key)) for case in CASES] == [2, 2, 2]


def test_a_case_that_is_another_by_now_is_not_mixed(file: Path) -> None:
    with open_store(file) as store, begin(store) as run:
        run.add(a_round(0, 0))
        other = replace(CASES[0], axes={**CASES[0].axes, "width": 3})
        with pytest.raises(StoreFailed, match="begin a new run"):
            run.add([(other, sample(0, 1))])
        # The same key from other parts: "a/b" and "c" read as "a" and "b/c" do.
        run.add([(Case("g1", "a/b", "c"), sample(0, 0))])
        with pytest.raises(StoreFailed, match="begin a new run"):
            run.add([(Case("g1", "a", "b/c"), sample(0, 0))])


def test_runs_are_found_by_id_by_its_beginning_and_as_the_last(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter(["aa000000", "aa000000", "ab000000", "0c000000"])
    monkeypatch.setattr("mac_profiler.store.recording.secrets", SimpleNamespace(token_hex=lambda _: next(names)))
    with open_store(file) as store:
        with pytest.raises(UnknownName, match="none in"):
            store.find("last")
        ids = [begin(store).id]
        with pytest.raises(UnknownName, match="macprof results"):
            store.find("")
        ids += [begin(store).id for _ in range(2)]
        assert ids == ["aa000000", "ab000000", "0c000000"]
        found = {"aa": 0, "AB": 1, "0c000000": 2, "0": 2, "last": 2}
        assert {name: store.find(name).id for name in found} == {name: ids[i] for name, i in found.items()}
        with pytest.raises(UnknownName, match="'a' begins 2 runs: aa000000, ab000000"):
            store.find("a")
        for name in ("", "aa0000000", "x", "%", "last "):
            with pytest.raises(UnknownName, match="macprof results"):
                store.find(name)


# -------------------------------------------------------------------------------------------------------------- resume


def test_an_unfinished_run_is_gone_on_with(file: Path) -> None:
    with open_store(file) as store:
        first = begin(store)
        first.add(a_round(0, 0))
    with open_store(file) as store:
        assert store.runs()[0].state == "unfinished"
        other = store.begin(SETTINGS, {}, MACHINE, ["g2"], resume=True)
        assert not other.resumed
        run = begin(store, resume=True)
        assert (run.resumed, run.id, run.next_process()) == (True, first.id, 1)
        run.add([*a_round(0, 0), *a_round(1, 1)])
        run.end()
        assert not begin(store, resume=True).resumed
    with open_store(file) as store:
        assert content(store.measurements(first.id)) == {
            case.key: ({sample(0, 0), sample(1, 1)}, "unfinished") for case in CASES
        }


def test_benchmarks_are_the_same_in_any_order(file: Path) -> None:
    with open_store(file) as store:
        first = store.begin(SETTINGS, {}, MACHINE, ["g1", "g2"])
    with open_store(file) as store:
        assert store.begin(SETTINGS, {}, MACHINE, ["g2", "g1"], resume=True).id == first.id


def test_what_was_measured_otherwise_is_not_mixed(file: Path) -> None:
    with open_store(file) as store:
        name = begin(store).id
    with open_store(file) as store:
        with pytest.raises(StoreFailed, match=f"cannot resume run {name}: threads was 1 and is 4; measure as it did"):
            begin(store, resume=True, settings=replace(SETTINGS, threads=4), machine=MACHINE.replace("ds: 1", "ds: 4"))
        with pytest.raises(StoreFailed, match="cpu was one and is two; torch was 2 and is not told; measure") as caught:
            begin(store, resume=True, machine="cpu: two\nsettings.threads: 1")
        assert "threads" not in str(caught.value)
        # A fact of the machine is none of the settings, though it may be called as one.
        with pytest.raises(StoreFailed, match="threads was not told and is 9"):
            begin(store, resume=True, machine=f"{MACHINE}\nthreads: 9")
        assert len(store.runs()) == 1
        # An older run that fits is better than a newer one that does not.
        begin(store, settings=replace(SETTINGS, threads=4)).close()
        assert begin(store, resume=True).id == name


def test_of_two_unfinished_runs_the_newer_one_is_gone_on_with(file: Path) -> None:
    with open_store(file) as store:
        names = [begin(store).id for _ in range(2)]
    with open_store(file) as store:
        assert begin(store, resume=True).id == names[1]


def test_a_process_that_saw_nothing_but_failures_has_had_its_number(file: Path) -> None:
    with open_store(file) as store, begin(store) as run:
        run.finish(Measurement(CASES[0], (), "failed: out of memory"), process=0)
        assert run.next_process() == 1


def test_a_run_is_not_gone_on_with_while_somebody_is_at_work_on_it(file: Path) -> None:
    with open_store(file) as one, open_store(file) as two:
        run = begin(one)
        with pytest.raises(StoreFailed, match=f"process {os.getpid()} is at work on it"):
            begin(two, resume=True)
        run.close()
        assert begin(two, resume=True).id == run.id
        with pytest.raises(StoreFailed, match="let go"):
            run.add(a_round(0, 0))
        with pytest.raises(StoreFailed, match="let go"):
            run.end()
        assert one.runs()[0].samples == 0


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 2), st.integers(0, 4), st.permutations(range(len(CASES)))),
        st.tuples(st.just("finish"), st.integers(0, 2)),
        st.just(("kill",)),
        st.just(("leave",)),
    ),
    max_size=25,
)


@hypothesis_settings(max_examples=40)
@given(steps=STEPS)
def test_whatever_happens_between_rounds_the_result_is_what_was_written(steps: list[tuple[object, ...]]) -> None:
    expected: dict[str, tuple[set[Sample], str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "results.sqlite"
        store = open_store(file)
        run = begin(store)
        first = run.id
        for step in steps:
            match step:
                case ("add", int(process), int(number), list(order)):
                    taken = a_round(process, number)
                    run.add([taken[i] for i in order])
                    for case, seen in taken:
                        samples, stopped = expected.get(case.key, (set(), "unfinished"))
                        expected[case.key] = ({*samples, seen}, stopped)
                case ("finish", int(index)):
                    extra = sample(7, index)
                    run.finish(Measurement(CASES[index], (extra,), "precise"))
                    samples, _ = expected.get(CASES[index].key, (set(), ""))
                    expected[CASES[index].key] = ({*samples, extra}, "precise")
                case _:
                    if step == ("kill",):
                        # What a kill leaves: files as they are, and a holder that is no more.
                        left = Path(tempfile.mkdtemp(dir=folder))
                        for part in file.parent.glob(f"{file.name}*"):
                            shutil.copy(part, left)
                        holder.let_go(run._holder)
                        file = left / file.name
                    store.close()
                    store = open_store(file)
                    run = begin(store, resume=True)
                    assert run.id == first
                    assert {key: set(run.samples(key)) for key in expected} == {
                        key: samples for key, (samples, _) in expected.items()
                    }
            assert run.done() == {key for key, (_, stopped) in expected.items() if stopped == "precise"}
        assert content(store.measurements(first)) == expected
        store.close()


def test_a_reader_sees_what_a_writer_has_written_so_far(file: Path) -> None:
    with open_store(file) as store, open_store(file) as other:
        run = begin(store)
        for number in range(3):
            run.add(a_round(0, number))
            with open_store(file, read_only=True) as reader:
                assert {len(each.samples) for each in reader.measurements("last")} == {number + 1}
            assert other.find(run.id).samples == 3 * (number + 1)


# ---------------------------------------------------------------------------------------------------- where it is kept


@pytest.mark.parametrize(
    ("platform", "variables", "place"),
    [
        ("linux", {}, "~/.local/share/macprof/results.sqlite"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/macprof/results.sqlite"),
        ("linux", {"XDG_DATA_HOME": "data"}, "~/.local/share/macprof/results.sqlite"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, "~/Library/Application Support/macprof/results.sqlite"),
        ("win32", {}, "~/AppData/Local/macprof/results.sqlite"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/macprof/results.sqlite"),
        ("linux", {"MACPROF_STORE": "here.sqlite"}, "here.sqlite"),
        ("linux", {"MACPROF_STORE": ""}, "~/.local/share/macprof/results.sqlite"),
    ],
)
def test_the_usual_place(platform: str, variables: dict[str, str], place: str) -> None:
    assert default_path(variables, platform) == Path(place).expanduser()


def test_the_usual_place_is_made_when_it_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MACPROF_STORE", raising=False)
    monkeypatch.setattr("mac_profiler.store.default_path", lambda: tmp_path / "a" / "b" / "results.sqlite")
    with pytest.raises(StoreFailed, match="does not exist"):
        open_store(read_only=True)
    assert list(tmp_path.iterdir()) == []
    with open_store() as store:
        assert store.path == tmp_path / "a" / "b" / "results.sqlite"
    (tmp_path / "file").touch()
    monkeypatch.setattr("mac_profiler.store.default_path", lambda: tmp_path / "file" / "b" / "results.sqlite")
    with pytest.raises(StoreFailed, match="cannot make the folder"):
        open_store()
