"""One day of the metro on a fresh platform, to the last fen: finite, and judged by its books."""

import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from simulator.city import flows
from simulator.city.books import TrialBalance, yuan
from simulator.city.day import Day
from simulator.city.merchant import MerchantServer, Tally
from simulator.city.onboarding import metro_company
from simulator.city.processes import free_port
from simulator.city.proof import Expected, Finding, Proof
from simulator.city.screen import Screen
from simulator.city.stage import MovableClock, Ports, Stage
from simulator.city.trips import End, plan
from simulator.clock import BEIJING

CLOCK_FILE: Final = "clock.offset"
COLLECTION_ENDS: Final = timedelta(days=2, hours=4, minutes=1)  # The second service day is over.
KIOSKS: Final = 3
QUIET_SECONDS: Final = 90  # How long the last refunds and callbacks may take.
QUIET_STEP: Final = timedelta(minutes=1)  # Moves retries along.
LOOK_SECONDS: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class Demonstration:
    """A day on a stage. `scale` 2000 plays one of every two thousand people of the real day."""

    directory: Path
    scale: int
    seed: int
    screen: Screen

    def run(self) -> bool:
        """Play the day and say whether every fen is explained."""
        began = time.monotonic()
        empty(self.directory)
        clock = MovableClock(self.directory / CLOCK_FILE)
        midnight = next_monday(clock.now())
        clock.move_to(midnight)
        with MerchantServer(clock=clock) as merchant, ExitStack() as closing:
            ports = Ports(web=free_port(), simulator=free_port(), merchant=merchant.port)
            stage = Stage(self.directory, ports=ports, clock_file=self.directory / CLOCK_FILE)
            with self.screen.step("PostgreSQL, simulator, worker and web are running"):
                closing.enter_context(stage)
            day = self._prepare(stage, clock, merchant, midnight)
            expected = Expected(trips=day.trips)
            with self.screen.bar("Monday", total=len(day.trips)) as bar:
                day.play(bar)
            with self.screen.step("The next service day has ended; what was owed is returned"):
                clock.move_to(midnight + COLLECTION_ENDS)
                self._wait_until_quiet(day, expected, merchant.tally)
            with self.screen.step("The books are exported, every fare is recomputed"):
                exports, recomputed = self._export(stage, clock, midnight)
            proof = Proof(
                expected=expected,
                tally=merchant.tally,
                alipay=stage.alipay,
                exports=exports,
                trial_balance=TrialBalance.read(newest(exports)),
                recomputed=recomputed,
            )
            findings = list(proof.findings())
        return self._sum_up(expected, findings, exports, seconds=time.monotonic() - began)

    def _prepare(
        self, stage: Stage, clock: MovableClock, merchant: MerchantServer, midnight: datetime
    ) -> Day:
        with self.screen.step("Hangzhou Metro, its kiosks and its callback address are registered"):
            company = metro_company(stage, clock=clock, kiosks=KIOSKS)
            merchant.secret = company.listen(merchant.url)
        stations = stage.platform.get("/v1/transit/stations")["stations"]
        names = {station["station_id"]: station["name_zh"] for station in stations}
        journeys = flows.journeys(
            flows.read_counts(),
            scale=self.scale,
            seed=self.seed,
            same_place=lambda one, other: names[one] == names[other],
        )
        return Day(
            stage=stage,
            clock=clock,
            kiosks=company.kiosks,
            midnight=midnight,
            trips=plan(journeys, seed=self.seed),
        )

    def _wait_until_quiet(self, day: Day, expected: Expected, tally: Tally) -> None:
        """Let time pass until nothing is owed any more, or patience ends; the proof judges."""
        deadline = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < deadline:
            if not day.look() and expected.told_all(tally):
                return
            day.stage.check()
            time.sleep(LOOK_SECONDS)
            day.clock.move_to(day.clock.now() + QUIET_STEP)

    def _export(self, stage: Stage, clock: MovableClock, midnight: datetime) -> tuple[Path, str]:
        """Export every day there was; return the folder and what recomputing the fares said."""
        folder = self.directory / "exports"
        first, last = (moment.astimezone(BEIJING).date() for moment in (midnight, clock.now()))
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        recomputed, *_ = stage.flask_all(
            [
                ("transit", "recompute"),
                *(
                    ("export", "day", "--date", f"{day}", "--out", f"{folder / str(day)}")
                    for day in days
                ),
            ]
        )
        return folder, recomputed.strip()

    def _sum_up(
        self, expected: Expected, findings: list[Finding], exports: Path, *, seconds: float
    ) -> bool:
        sold = expected.number(End.COLLECTED) + expected.number(End.REFUNDED)
        self.screen.table(
            "Sold",
            [
                ("tickets sold", f"{sold} for {yuan(expected.sold_minor)} yuan"),
                *(
                    (f"  {end}", f"{expected.number(end)}, {yuan(expected.amount_minor(end))} yuan")
                    for end in End
                ),
                (
                    "paid late or twice, returned",
                    f"{len(expected.surplus)}, {yuan(sum(expected.surplus))} yuan",
                ),
            ],
        )
        marks = {True: "✓", False: "✗"}
        self.screen.table(
            "Proven",
            [(f"{marks[one.fine]} {one.about}", one.seen) for one in findings],
        )
        self.screen.say(f"Exported files: {exports}")
        fine = all(finding.fine for finding in findings)
        verdict = "Every fen is explained" if fine else "NOT every fen is explained"
        self.screen.say(f"{verdict}; {seconds:.0f} seconds.")
        return fine


def empty(directory: Path) -> None:
    """Make a directory empty, and remove its database, which lies elsewhere when root made it."""
    pointer = directory / "postgres" / "lies-in"
    if pointer.exists():
        database = Path(pointer.read_text("utf-8"))
        assert database.name.startswith("data-"), f"{database} is no database of ours"
        shutil.rmtree(database, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)


def next_monday(moment: datetime) -> datetime:
    """Return the next midnight in Shanghai at which a Monday begins."""
    today = moment.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=7 - today.weekday())


def newest(exports: Path) -> Path:
    """Return the trial balance of all books on the last exported day."""
    return max(exports.glob("*/trial-balance-all-*.csv"))
