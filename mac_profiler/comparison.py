"""Comparison: networks side by side as data: what each takes, how fast it is, and what a paper printed of it.

Figures are of one call; of several images at once, multiply-adds are compared image by image, and so is time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mac_profiler.intervals import Estimate
from mac_profiler.measurement import Measurement, Scalar, Settings
from mac_profiler.ordering import Place
from mac_profiler.published import FACTORS, Published

# The four complexities that ShuffleNet V2 compares networks at.
LEVELS: Mapping[str, float] = {"40M": 40e6, "140M": 140e6, "300M": 300e6, "500M": 500e6}
# Of what is no whole network, and so at none of them.
NO_LEVEL = "none"
# Further from the printed complexity than this, a reason is owed.
TOLERANCE = 0.02
_GPU_BATCH = re.compile(r"gpu_batch_size (\d+)")


def per_second(seconds: float | None) -> float | None:
    """How many fit into a second; None where it is not known how long one takes."""
    return 1 / seconds if seconds else None


@dataclass(frozen=True, slots=True)
class Counts:
    """What one call of a network takes, counted; and what that is predicted to take on a platform.

    Attributes:
        mult_adds: of one call, as all of these.
        flops: floating-point operations.
        accesses: memory access.
        fused_accesses: on an ideal fusing engine.
        parameters: of the network.
        peak_activation_bytes: most that is alive at once.
        op_count: operators that run.
        fragments: median number of convolutions, products and poolings of its fork-join blocks; None without a block.
        score: 0 to 100, see `mac_profiler.score`.
        predicted_seconds: of the call.
        complete: whether every operator was counted.
        inputs: shapes.
    """

    mult_adds: int
    flops: int
    accesses: int
    fused_accesses: int
    parameters: int
    peak_activation_bytes: int
    op_count: int
    fragments: float | None
    score: float
    predicted_seconds: float
    complete: bool = True
    inputs: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Contender:
    """One network among those that are compared.

    Attributes:
        label: what it is called in the comparison.
        model: its name in the zoo, or what the user called it; "" where there is none.
        built_as: name that it is built by.
        row: what the paper calls it; "" where it is no row of a table.
        family: of it in the zoo; "" where it is in none.
        figures: what was printed of it, by quantity.
        setting: only contenders of one setting are put in an order; "" where all are of one.
        level: of complexity; "" or `NO_LEVEL` where it is at none.
        level_published: the level is the paper's, not the nearest.
        images: at once, in one call.
        counts: None where it could not be built.
        measurement: its samples; None where nothing was measured.
        median: seconds of a call.
        speed_up: by how much it is faster than the baseline, image by image, measured.
        missing: why it is not built, or was not measured.
    """

    label: str
    model: str
    built_as: str
    row: str = ""
    family: str = ""
    figures: Mapping[str, Published] = field(default_factory=dict)
    setting: str = ""
    level: str = ""
    level_published: bool = False
    images: int = 1
    counts: Counts | None = None
    measurement: Measurement | None = None
    median: Estimate | None = None
    speed_up: Estimate | None = None
    missing: str = ""

    @property
    def mult_adds(self) -> float | None:
        """Of one image."""
        return None if self.counts is None else self.counts.mult_adds / self.images

    @property
    def predicted(self) -> float | None:
        """Seconds of one image."""
        return None if self.counts is None else self.counts.predicted_seconds / self.images

    @property
    def measured(self) -> Estimate | None:
        """Seconds of one image."""
        if self.median is None:
            return None
        return Estimate(*(each / self.images for each in (self.median.value, self.median.low, self.median.high)))

    @property
    def published_gpu(self) -> float | None:
        """Seconds of a batch on the paper's GPU."""
        figure = self.figures.get("gpu_batches_per_second")
        return None if figure is None else 1 / figure.value

    @property
    def published_arm(self) -> float | None:
        """Seconds of an image on the paper's ARM core."""
        rate, seconds = self.figures.get("arm_images_per_second"), self.figures.get("seconds")
        return 1 / rate.value if rate is not None else None if seconds is None else seconds.value

    @property
    def apart(self) -> float | None:
        """Our multiply-adds by the printed ones, less 1."""
        figure = self.figures.get("mult_adds")
        return None if figure is None or self.mult_adds is None else self.mult_adds / figure.value - 1

    @property
    def reason(self) -> str:
        """Why it is not there, or has other multiply-adds than were printed; "" where nothing needs saying."""
        if self.counts is None:
            return f"not built: {self.missing}"
        if self.apart is None or abs(self.apart) <= TOLERANCE:
            return self.missing
        figure = self.figures["mult_adds"]
        said = [figure.reading if figure.reading != "not reproduced" else "", figure.note]
        found = "; ".join(filter(None, said)) or ("printed with few digits" if self._rounds_to(figure) else "")
        return "; ".join(filter(None, (self.missing, found or "no reason is known")))

    def _rounds_to(self, figure: Published) -> bool:
        digits = figure.printed.rstrip("KMG")
        unit = FACTORS[figure.printed[len(digits) :]]
        return f"{(self.mult_adds or 0) / unit:.{len(digits.partition('.')[2])}f}" == digits

    def place(self, order: str) -> Place | None:
        """Where an order of `Comparison.orders` has it; None where that does not know it."""
        if order == "measured":
            known = self.measured
            return None if known is None else Place(known.value, (self.setting, self.images))
        if order == "GPU":
            conditions = self.figures[name].conditions if (name := "gpu_batches_per_second") in self.figures else ""
            return _place(self.published_gpu, self.setting, "".join(_GPU_BATCH.findall(conditions)))
        if order == "predicted":
            return _place(self.predicted, self.setting, self.images)
        return _place(self.published_arm if order == "ARM" else self.mult_adds, self.setting)


def _place(value: float | None, *setting: object) -> Place | None:
    return None if value is None else Place(value, setting)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Networks side by side.

    Attributes:
        contenders: in the order in which they are shown.
        platform: what times are predicted for, and how it came to be known.
        title: what is compared.
        source: citation, of a preset.
        baseline: label of the one that the others are set beside; "" for none.
        settings: how it was measured; None where it was not.
        run: its id in the store.
        store: the file.
        environment: machine and versions, of what was measured.
        notes: what a reader must know.
    """

    contenders: tuple[Contender, ...]
    platform: str
    title: str = ""
    source: str = ""
    baseline: str = ""
    settings: Settings | None = None
    run: str = ""
    store: str = ""
    environment: Mapping[str, Scalar] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def networks(self) -> list[Contender]:
        """Every network once: a table may print one twice."""
        found = {(each.built_as or each.label, each.setting): each for each in reversed(self.contenders)}
        return list(reversed(found.values()))

    @property
    def levels(self) -> list[str]:
        """Those that occur, the lowest first."""
        found = {each.level for each in self.contenders}
        return [level for level in LEVELS if level in found]

    @property
    def settings_of_images(self) -> list[str]:
        """Sizes of images that are kept apart, in the order of the rows."""
        return list(dict.fromkeys(each.setting for each in self.contenders))

    def baseline_of(self, contender: Contender) -> Contender | None:
        """What a contender is set beside: the baseline with images of its size."""
        same = (each for each in self.contenders if (each.label, each.setting) == (self.baseline, contender.setting))
        return next(same, None) if self.baseline else None
