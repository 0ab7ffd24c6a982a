import random
from datetime import date, timedelta
from threading import Event, Thread

from sqlalchemy import text

from payments.kernel.database import Database
from payments.ledger import flows, queries
from payments.ledger.balances import TrialBalance
from payments.ledger.statements import Place, StatementLine
from tests.support.books import METRO, MOVE, NOW, open_books, post

MONDAY = date(2026, 11, 23)
ANN = "liabilities:wallet:ann"
DAY = timedelta(days=1)


def move(database: Database, reference: str, amount: int, *, days: int = 0) -> None:
    with database.transaction() as session:
        post(session, MOVE, reference, amount, now=NOW + days * DAY, giver="ann", taker="bob")


def trial(database: Database, as_of: date | None = None) -> TrialBalance:
    with database.read() as session:
        return queries.trial_balance(session, as_of=as_of)


def summed(database: Database) -> dict[str, int]:
    """Balances by adding every posting up, which is what the totals stand for."""
    with database.read() as session:
        rows = session.execute(
            text(
                "SELECT account, sum(amount) FROM ("
                " SELECT source AS account, amount_minor AS amount FROM ledger.postings UNION ALL"
                " SELECT destination, -amount_minor FROM ledger.postings) AS sides GROUP BY account"
            )
        )
        return {account: int(amount) for account, amount in rows}


def history(database: Database) -> list[TrialBalance]:
    """The trial balance of every day, checked against the accounts one by one and by addition."""
    days = [trial(database, MONDAY + days * DAY) for days in range(-1, 5)]
    with database.read() as session:
        for found in [*days, trial(database)]:
            for row in found.rows:
                one = queries.balance(
                    session, book_id=METRO, account=row.account, as_of=found.as_of
                )
                assert one == row
    assert {row.account: row.balance_minor for row in trial(database).rows} == summed(database)
    return days


def test_a_roll_up_changes_no_balance(fresh_database: Database) -> None:
    """Seen to fail when a balance ignores the tail, and when the totals forget what they had."""
    with fresh_database.transaction() as session:
        open_books(session)
    chance = random.Random(1)
    for number in range(40):
        move(fresh_database, f"r{number}", chance.randint(1, 99), days=number // 10)
        if chance.random() < 0.2:
            flows.roll_up(fresh_database, limit=chance.randint(1, 10))
    before = history(fresh_database)
    while flows.roll_up(fresh_database, limit=7):
        pass
    assert history(fresh_database) == before


def test_a_slow_transaction_is_not_skipped(fresh_database: Database) -> None:
    """Seen to fail when the cut is the newest transaction id rather than the settled one."""
    with fresh_database.transaction() as session:
        open_books(session)
        post(session, MOVE, "first", 1, giver="ann", taker="bob")
    with fresh_database.transaction() as slow:
        post(slow, MOVE, "slow", 10, giver="ann", taker="bob")
        move(fresh_database, "fast", 100)
        while flows.roll_up(fresh_database):
            pass
    while flows.roll_up(fresh_database):
        pass
    with fresh_database.read() as session:
        assert queries.balance(session, book_id=METRO, account=ANN).balance_minor == 111


def test_balances_hold_while_many_post_and_one_rolls_up(fresh_database: Database) -> None:
    """Seen to fail when `trial_balance` takes the totals without looking at the watermark."""
    with fresh_database.transaction() as session:
        open_books(session)
    done = Event()

    def poster(name: str) -> None:
        for number in range(40):
            move(fresh_database, f"{name}-{number}", 1)

    def roller() -> None:
        while not done.is_set():
            flows.roll_up(fresh_database, limit=5)

    posters = [Thread(target=poster, args=[f"p{number}"]) for number in range(4)]
    rolling = Thread(target=roller)
    for thread in (rolling, *posters):
        thread.start()
    seen = [0]
    while any(thread.is_alive() for thread in posters):
        found = trial(fresh_database)
        assert found.balanced
        seen.append(sum(row.debits_minor for row in found.rows))
    for thread in posters:
        thread.join()
    done.set()
    rolling.join()
    assert seen == sorted(seen), "a balance went back"
    assert sum(row.debits_minor for row in trial(fresh_database).rows) == 160


def pages(database: Database, first: date, last: date, *, limit: int) -> list[StatementLine]:
    lines: list[StatementLine] = []
    after: Place | None = None
    with database.read() as session:
        while True:
            page = queries.statement(
                session,
                book_id=METRO,
                account=ANN,
                first=first,
                last=last,
                after=after,
                limit=limit,
            )
            lines += page.lines
            after = page.next
            if after is None:
                return lines


def test_a_statement_runs_from_the_opening_to_the_closing_balance(
    fresh_database: Database,
) -> None:
    """Seen to fail when the scan starts at the watermark, and when pages overlap by a line."""
    with fresh_database.transaction() as session:
        open_books(session)
    for number in range(30):
        move(fresh_database, f"r{number}", number + 1, days=number // 10)
        if number in {4, 15, 22}:
            while flows.roll_up(fresh_database):
                pass
    tuesday = MONDAY + DAY
    lines = pages(fresh_database, tuesday, tuesday, limit=3)
    assert [line.reference for line in lines] == [f"r{number}" for number in range(10, 20)]
    opening = sum(range(1, 11))
    assert [line.balance_minor for line in lines] == [
        opening + sum(range(11, number + 1)) for number in range(11, 21)
    ]
    whole = pages(fresh_database, MONDAY - DAY, MONDAY + 5 * DAY, limit=7)
    assert len(whole) == 30
    assert whole[-1].balance_minor == summed(fresh_database)[ANN]
    assert pages(fresh_database, MONDAY + 9 * DAY, MONDAY + 10 * DAY, limit=7) == []


def test_a_statement_shows_both_sides(database: Database) -> None:
    with database.transaction() as session:
        open_books(session)
        post(session, MOVE, "out", 500, giver="ann", taker="bob")
        post(session, MOVE, "back", 200, giver="bob", taker="ann")
    lines = pages(database, MONDAY, MONDAY, limit=10)
    assert [(line.debit_minor, line.credit_minor, line.balance_minor) for line in lines] == [
        (0, 500, 500),
        (200, 0, 300),
    ]
    assert {line.counterpart for line in lines} == {"liabilities:wallet:bob"}
