"""Why does the map look funny? What could be the cause, gone through one by one, each with its evidence.

Judged here from what was read of a group's frames; nothing is read here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final, Literal

from toolkit.cache import families
from toolkit.cache.frame_report import Ailment, listed
from toolkit.cache.vector_health import EXAMPLES
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.cache.frame_reading import Reading
    from toolkit.cache.layer_comparison import Agreement

Status = Literal["ok", "warn", "unknown"]
ALIKE: Final = 0.9  # the cosine from which a vector is roughly the mean of its replicates


@dataclass(frozen=True, slots=True)
class Line:
    """One possible cause: `check` is its stable name, `title` says what should be so, `evidence` what is."""

    check: str
    title: str
    status: Status
    evidence: str


def checklist(
    readings: Sequence[Reading], agreements: Sequence[Agreement], missing: Sequence[str], unread: Sequence[str]
) -> tuple[Line, ...]:
    """All lines, in the order in which one would look. `readings` are of the layer whose vectors were read; `missing`
    says which frames are not where they should be, `unread` which layers could not be read."""
    return (
        _all_there(readings, missing, unread),
        *_vectors(readings),
        _perts_agree("raw-normalized", "same perts raw, normalized", families.raw_and_normalized(readings)),
        _perts_agree("aggregated-split", "same perts aggregated, split", families.aggregated_and_split(readings)),
        _means(readings),
        _concentrations(readings),
        _layers(agreements, unread),
    )


def _all_there(readings: Sequence[Reading], missing: Sequence[str], unread: Sequence[str]) -> Line:
    title = "all frames there and readable"
    broken = [r.report.frame for r in readings if any(p.problem == "unreadable" for p in r.report.problems)]
    wrong = [*missing, *([f"not readable: {', '.join(broken)}"] if broken else [])]
    if wrong:
        return Line("all-frames", title, "warn", "; ".join(wrong))
    if unread:
        return Line("all-frames", title, "unknown", f"{' and '.join(unread)} could not be read")
    return Line("all-frames", title, "ok", _frames(len(readings)))


def _vectors(readings: Sequence[Reading]) -> Iterable[Line]:
    def length(reading: Reading) -> str:
        vectors = reading.report.vectors
        return "" if vectors is None or vectors.norm_min is None else f"{vectors.norm_min:.4f} {vectors.norm_max:.4f}"

    measured = [reading for reading in readings if reading.report.vectors is not None]
    lengths = sorted({float(one) for reading in measured for one in length(reading).split()})
    reach = f", lengths {lengths[0]:.4f} to {lengths[-1]:.4f}" if lengths else ""
    yield _ailments("unit-length", "vectors of length 1", readings, "not-unit-length", reach)
    yield _ailments("no-nan", "no NaN, no infinity", readings, "nan")
    yield _ailments("no-zero", "no vector of zeros", readings, "zero")
    yield _ailments("no-duplicates", "no vector twice", readings, "duplicate-vector")
    yield _ailments("dimension", "vectors of the right size", readings, "wrong-dimension")
    named = [reading for reading in readings if reading.perts is not None]
    rows = [(r.report.frame, p.rows or 0) for r in named for p in r.report.problems if p.problem == "duplicate-row"]
    title = "no row twice"
    if rows:
        said = ", ".join(f"{frame} {count:,}" for frame, count in rows)
        yield Line("no-duplicate-rows", title, "warn", f"rows that are: {said}")
    else:
        yield _whole("no-duplicate-rows", title, len(named), len(readings), "names")


def _ailments(check: str, title: str, readings: Sequence[Reading], ailment: Ailment, more: str = "") -> Line:
    found = [(r.report.frame, p) for r in readings for p in r.report.problems if p.problem == ailment]
    if found:
        rows = sum(problem.rows or 0 for _, problem in found)
        of = sum(problem.of or 0 for _, problem in found)
        where = ", ".join(frame for frame, _ in found)
        return Line(check, title, "warn", f"{rows:,} of {of:,} vectors, in {where}{more}")
    measured = sum(r.report.vectors is not None for r in readings)
    vectors = sum(r.report.vectors.rows for r in readings if r.report.vectors is not None)
    return _whole(check, title, measured, len(readings), "vectors", f", {vectors:,} vectors{more}")


def _whole(check: str, title: str, looked: int, of: int, what: str, more: str = "") -> Line:
    """Nothing is wrong, as far as was looked: it is well only where all was looked at."""
    if looked == 0:
        return Line(check, title, "unknown", f"{what} were not read")
    if looked < of:
        return Line(
            check,
            title,
            "unknown",
            f"nothing wrong in {looked} of {_frames(of)}; the {what} of the others were not read",
        )
    return Line(check, title, "ok", f"{_frames(looked)}{more}")


def _perts_agree(check: str, title: str, pairs: Iterable[tuple[Reading, Reading]]) -> Line:
    compared = 0
    differing = []
    for one, other in pairs:
        if one.perts is None or other.perts is None:
            continue
        compared += 1
        here, there = set(one.perts.names), set(other.perts.names)
        for frame, more in ((one, here - there), (other, there - here)):
            if more:
                few = tuple(shown(name) for name in sorted(more)[:EXAMPLES])
                beside = (other if frame is one else one).report.frame
                count = "1 pert" if len(more) == 1 else f"{len(more):,} perts"
                differing.append(f"{frame.report.frame} has {count} that {beside} has not{listed(few, len(more))}")
    if differing:
        return Line(check, title, "warn", "; ".join(differing))
    if not compared:
        return Line(check, title, "unknown", "no two frames that were read belong together by their names")
    return Line(check, title, "ok", f"the same perts in {_pairs(compared)}")


def _means(readings: Sequence[Reading]) -> Line:
    """Whether aggregated vectors point where the mean of their split ones does."""
    check, title = "mean-of-split", "aggregated = mean of split"
    found: list[tuple[float, str]] = []
    pairs = 0
    for one, split in families.aggregated_and_split(readings):
        if one.means is not None and split.means is not None:
            cosines = one.means.cosines(split.means)
            pairs += bool(cosines)
            found += [(cosine, f"{shown(what[0])} in {one.report.frame}") for what, cosine in cosines.items()]
    if not found:
        return Line(check, title, "unknown", "the vectors of no such pair of frames were read")
    worst, where = min(found)
    middle = median(cosine for cosine, _ in found)
    off = sum(cosine < ALIKE for cosine, _ in found)
    evidence = f"a sample of {len(found):,} in {_pairs(pairs)}: median cosine {middle:.3f}, worst {worst:.3f}"
    if off:
        return Line(check, title, "warn", f"{evidence} ({where}); {off:,} below {ALIKE:g}")
    return Line(check, title, "ok", evidence)


def _concentrations(readings: Sequence[Reading]) -> Line:
    check, title = "concentrations", "same concentrations"
    named = [reading for reading in readings if reading.perts is not None and reading.report.concentrations]
    if not named:
        return Line(check, title, "unknown", "no frame with concentrations was read")
    series = [_series(reading) for reading in named]
    differing = []
    for reading, there in zip(named[1:], series[1:], strict=True):
        both = series[0].keys() & there.keys()  # perts that are in one alone are another line's
        other = sorted(name for name in both if series[0][name] != there[name])
        if other:
            few = tuple(map(shown, other[:EXAMPLES]))
            pair = f"{named[0].report.frame} and {reading.report.frame}"
            differing.append(f"{len(other):,} differ between {pair}{listed(few, len(other))}")
    if differing:
        return Line(check, title, "warn", "; ".join(differing))
    steps = " ".join(f"{step.concentration:g}" for step in named[0].report.concentrations)
    return Line(check, title, "ok", f"{_frames(len(named))}: {steps} µM")


def _series(reading: Reading) -> dict[str, tuple[float, ...]]:
    perts = reading.perts
    return {} if perts is None else dict(zip(perts.names, map(tuple, perts.concentrations), strict=True))


def _layers(agreements: Sequence[Agreement], unread: Sequence[str]) -> Line:
    check, title = "layers", "same in Redis and bucket"
    known = [agreement for agreement in agreements if agreement.same is not None]
    other = [agreement.frame for agreement in known if not agreement.same]
    if other:
        return Line(check, title, "warn", f"{len(other)} of {_frames(len(known))} differ: {', '.join(other)}")
    if unread:
        return Line(check, title, "unknown", f"{' and '.join(unread)} could not be read")
    if not known:
        return Line(check, title, "unknown", "no frame is in both")
    checked = sum(agreement.verdict == "same-checksum" for agreement in known)
    how = "by checksum" if checked == len(known) else "by size and samples; --full compares checksums"
    status: Status = "ok" if len(known) == len(agreements) else "unknown"
    frames = _frames(len(known)) if status == "ok" else f"{len(known)} of {_frames(len(agreements))}"
    return Line(check, title, status, f"{frames}, {how}")


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"


def _pairs(count: int) -> str:
    return "1 pair of frames" if count == 1 else f"{count} pairs of frames"
