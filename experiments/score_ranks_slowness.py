"""Does the audit's score tell which networks are slow for their multiply-adds?

Question: over a published table of measured speeds, does the score rank networks as their measured slowness does, the
time of a call by its multiply-adds?
Expectation: Spearman's correlation of score and slowness is at least 0.9 (the higher the score, the less slow), on
networks that nothing was learned from.
Source: the tables are given as arguments, in the layout of timm's results (model, infer_img_size, infer_batch_size,
infer_samples_per_sec); those of timm's repository were measured by others, on one GPU and one CPU.

    python -m experiments.score_ranks_slowness TABLE.csv ... [--smoke] [--output DIR] [--seed N]

Nothing is measured here. The score is that of `mac_profiler.score`, on two platforms: the nominal one, of which nothing
was learned at all, and one of ten numbers, learned from 60 networks of the table that are drawn by chance, five times;
those 60 are not among the networks that are ranked. The limits of rules play no part in a score.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from experiments.prediction.made_up import make_up
from experiments.ranking.figure import draw
from experiments.ranking.table import write
from experiments.reporting.environment import describe
from experiments.reporting.files import write_report
from experiments.reporting.options import Options, read_options
from mac_profiler.api import count_row
from mac_profiler.errors import MacprofError
from mac_profiler.fitting import FEWEST, count_rows, fit
from mac_profiler.nominal import nominal_platform
from mac_profiler.platform import Platform
from mac_profiler.predict import predict
from mac_profiler.profile import Profile
from mac_profiler.score import score_of
from mac_profiler.speed_tables import Row, read_table

TRAINED_ON, SEEDS = 60, 5


def main() -> None:
    """Rank every table and write the report."""
    options = read_options("score_ranks_slowness", __doc__, tables=True)
    tables = {path.stem: list(read_table(path)) for path in options.tables}
    if options.smoke and not tables:
        tables = {"made_up": make_up()}
    if not tables:
        raise SystemExit("score_ranks_slowness: name at least one table of speeds")
    results = {
        "environment": describe(("timm", "scipy")),
        "seed": options.seed,
        "protocol": {"trained_on": TRAINED_ON, "seeds": SEEDS},
        "tables": {
            name: rank_table(rows[:40] if options.smoke else rows, device_of(name), options)
            for name, rows in tables.items()
        },
    }
    write_report(options.output, results, write(results), draw(results))
    print(options.output / "table.md")


def device_of(name: str) -> str:
    """What timm's file names say that a table was measured on."""
    return "cpu" if "-cpu-" in name else "cuda"


def rank_table(rows: Sequence[Row], device: str, options: Options) -> dict[str, Any]:
    """Scores of all networks of one table on every platform, and how they rank those that were not learned from."""
    learned = list(learn(rows, device, options))
    platforms = [nominal_platform(), *(platform for _, platform in learned)]
    networks = []
    for row in rows:
        try:
            profile = count_row(row)
        except MacprofError:
            continue
        networks.append(describe_network(row, profile, platforms))
    held_out = [range(len(networks)), *(_others(networks, rows, known) for known, _ in learned)]
    return {
        "networks": networks,
        "spearman": [
            spearman([networks[i] for i in asked], number) for number, asked in enumerate(held_out)
        ],
        "tested": [len(asked) for asked in held_out],
        "intensity": spearman_of(
            [-each["mult_adds"] / each["accesses"] for each in networks], [each["slowness"] for each in networks]
        ),
    }  # fmt: skip


def learn(rows: Sequence[Row], device: str, options: Options) -> Iterator[tuple[set[int], Platform]]:
    """Platforms learned from some rows of the table, with the positions of these."""
    import numpy as np

    for seed in range(1 if options.smoke else SEEDS):
        order = np.random.default_rng((options.seed, seed)).permutation(len(rows))
        size = min(TRAINED_ON, max(FEWEST, len(rows) // 2))
        known = {int(i) for i in order[:size]}
        counted, _ = count_rows([rows[i] for i in sorted(known)], count_row)
        yield known, fit("learned", counted, device=device, dtype="float32", table="a part of a table")


def describe_network(row: Row, profile: Profile, platforms: Sequence[Platform]) -> dict[str, Any]:
    """One network: what it took, and its scores."""
    return {
        "model": row.model,
        "size": row.size,
        "batch": row.batch,
        "mult_adds": profile.total.mult_adds,
        "accesses": profile.total.accesses,
        "slowness": row.seconds / profile.total.mult_adds,
        "scores": [score_of(predict(profile, platform)).score for platform in platforms],
    }


def _others(networks: Sequence[dict[str, Any]], rows: Sequence[Row], known: set[int]) -> list[int]:
    """Positions among the networks of those that were not learned from; a network in two sizes is left out in both."""
    names = {rows[i].model for i in known}
    return [i for i, each in enumerate(networks) if each["model"] not in names]


def spearman(networks: Sequence[dict[str, Any]], number: int) -> float:
    """Correlation of the ranks by score, the lowest first, and by slowness, the slowest first."""
    return spearman_of([-each["scores"][number] for each in networks], [each["slowness"] for each in networks])


def spearman_of(told: Sequence[float], seen: Sequence[float]) -> float:
    """Of two figures of the same networks."""
    from scipy.stats import spearmanr

    return float(spearmanr(told, seen).statistic)


if __name__ == "__main__":
    main()
