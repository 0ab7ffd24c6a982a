"""Plays a day slot by slot: everybody of a slot acts at the same time, then the clock moves on."""

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from typing import Final

from simulator.city.citizens import Citizen
from simulator.city.flows import SLOT_MINUTES
from simulator.city.onboarding import Signer
from simulator.city.screen import Bar
from simulator.city.stage import MovableClock, Stage
from simulator.city.trips import Behaviour, Trip

HANDS: Final = 12  # How many act at the same moment.
LATE_BY_SLOTS: Final = 3  # Orders can be paid for fifteen minutes.


@dataclass(kw_only=True)
class Day:
    """One day of the city. `midnight` is the moment the day begins in Shanghai."""

    stage: Stage
    clock: MovableClock
    kiosks: Sequence[Signer]
    midnight: datetime
    trips: Sequence[Trip]

    def __post_init__(self) -> None:
        numbers = {trip.citizen for trip in self.trips}
        self.citizens = {
            number: Citizen(
                number=number,
                platform=self.stage.platform,
                alipay=self.stage.alipay,
                clock=self.clock,
            )
            for number in numbers
        }
        self._kiosks = cycle(self.kiosks)

    def play(self, bar: Bar) -> None:
        """Let everybody buy, pay, collect and forget, in the order of the day."""
        buying: dict[int, list[Trip]] = defaultdict(list)
        paying_late: dict[int, list[Trip]] = defaultdict(list)
        for trip in self.trips:
            buying[trip.journey.slot].append(trip)
            if trip.behaviour is Behaviour.PAYS_LATE:
                paying_late[trip.journey.slot + LATE_BY_SLOTS].append(trip)
        done = 0
        with ThreadPoolExecutor(HANDS) as pool:
            for slot in sorted({*buying, *paying_late}):
                self.clock.move_to(self.midnight + timedelta(minutes=SLOT_MINUTES * slot))
                acts = [pool.submit(self._ride, trip) for trip in buying[slot]]
                acts += [pool.submit(self._pay_late, trip) for trip in paying_late[slot]]
                for act in acts:
                    act.result()
                done += len(buying[slot])
                self.stage.check()
                bar.reach(done, saying=f"{slot // 6:02d}:{slot % 6 * SLOT_MINUTES:02d}")

    def look(self) -> list[Trip]:
        """Look at every ticket that has not ended yet; return those that still have not."""
        waiting = [trip for trip in self.trips if not trip.ended]
        with ThreadPoolExecutor(HANDS) as pool:
            list(pool.map(lambda trip: self.citizens[trip.citizen].look(trip), waiting))
        return [trip for trip in waiting if not trip.ended]

    def _ride(self, trip: Trip) -> None:
        self.citizens[trip.citizen].ride(trip, kiosk=next(self._kiosks))

    def _pay_late(self, trip: Trip) -> None:
        self.citizens[trip.citizen].pay_late(trip)
