"""The reasons for a fare as sentences, in the two languages every text has."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from payments.kernel.money import format_yuan


def sentences(explanation: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return one sentence a step of a stored explanation, as `zh` and `en`."""
    said = [_SENTENCES[step["name"]](step["figures"]) for step in explanation["steps"]]
    return [{"zh": zh, "en": en} for zh, en in said]


def kilometres(metres: int) -> str:
    """Return metres as kilometres to the metre, without zeros that say nothing."""
    whole, rest = divmod(metres, 1_000)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".")


def _shortest_path(figures: Mapping[str, int]) -> tuple[str, str]:
    km = kilometres(figures["great_circle_m"])
    return (
        f"最短路径上相邻车站的直线距离合计 {km} 公里",
        f"The shortest path is {km} km, station to station as the crow flies",
    )


def _track_factor(figures: Mapping[str, int]) -> tuple[str, str]:
    km = kilometres(figures["distance_m"])
    factor = figures["per_ten_thousand"]
    return (
        f"轨道比直线长，乘以 {factor}/10000，计费里程 {km} 公里",
        f"Track is longer than that: times {factor}/10000 makes {km} km",
    )


def _section(figures: Mapping[str, int]) -> tuple[str, str]:
    above, unit = kilometres(figures["above_m"]), kilometres(figures["unit_m"])
    fare, units = format_yuan(figures["fare_minor"]), figures["units"]
    return (
        f"超过 {above} 公里部分，每 {unit} 公里计一段，{units} 段共 {fare} 元",
        f"Above {above} km, {units} started × {unit} km: {fare} yuan",
    )


def _fare(figures: Mapping[str, int]) -> tuple[str, str]:
    fare = format_yuan(figures["fare_minor"])
    return f"票价 {fare} 元", f"The fare is {fare} yuan"


_SENTENCES: Final[Mapping[str, Callable[[Mapping[str, int]], tuple[str, str]]]] = {
    "shortest-path": _shortest_path,
    "track-factor": _track_factor,
    "section": _section,
    "fare": _fare,
}
