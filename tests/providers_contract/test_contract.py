"""What every provider keeps, whatever its wire looks like; each declared capability is tried."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payments.kernel.ids import BookId, new_provider_number
from payments.providers.interface import (
    Notice,
    NoticeRejected,
    Outcome,
    PaymentInstruction,
    PaymentReference,
    RefundInstruction,
    RefundReference,
    Report,
    Scene,
    SceneNotSupported,
)
from payments.providers.registry import adapters
from tests.providers_contract.stages import NOTIFY_URL, STAGES, Stage

BOOK = BookId("HZMTRO")
NEEDS_PAYER = {Scene.MINI_PROGRAM}
SCENES = sorted(Scene)


def instruction(stage: Stage, *, scene: Scene | None = None) -> PaymentInstruction:
    offered = min(stage.account.capabilities.scenes & NEEDS_PAYER)
    return PaymentInstruction(
        number=new_provider_number(BOOK),
        amount_minor=300,
        subject="地铁票 龙翔桥/火车东站 & =",
        scene=scene or offered,
        notify_url=NOTIFY_URL,
        expires_at=stage.now + timedelta(minutes=15),
        payer=stage.payer if (scene or offered) in NEEDS_PAYER else None,
    )


def started(stage: Stage) -> PaymentReference:
    asked = instruction(stage)
    assert stage.account.start(asked, now=stage.now).outcome is Outcome.PENDING
    return PaymentReference(number=asked.number)


def paid(stage: Stage) -> PaymentReference:
    reference = started(stage)
    stage.pay(reference.number)
    return reference


def refund_of(reference: PaymentReference, *, amount_minor: int = 100) -> RefundInstruction:
    return RefundInstruction(
        number=reference.number,
        refund_number=new_provider_number(BOOK),
        amount_minor=amount_minor,
        paid_minor=300,
        reason="未取票",
    )


def reference_of(asked: RefundInstruction) -> RefundReference:
    return RefundReference(number=asked.number, refund_number=asked.refund_number)


def only_notice(stage: Stage) -> Notice:
    (letter,) = stage.letters()
    return stage.account.read_notice(*letter, now=stage.now)


def test_every_adapter_has_a_stage() -> None:
    without = [name for name in adapters() if not any(one.startswith(name) for one in STAGES)]
    assert not without, f"add a stage to tests/providers_contract/stages.py: {without}"


@pytest.mark.parametrize("scene", SCENES)
def test_a_declared_scene_starts_and_any_other_is_refused(stage: Stage, scene: Scene) -> None:
    asked = instruction(stage, scene=scene)
    if scene not in stage.account.capabilities.scenes:
        with pytest.raises(SceneNotSupported):
            stage.account.start(asked, now=stage.now)
        return
    answer = stage.account.start(asked, now=stage.now)
    assert answer.outcome is Outcome.PENDING
    assert all(answer.client.values())
    assert answer.client
    stage.pay(asked.number)
    report = stage.account.query(PaymentReference(number=asked.number), now=stage.now)
    assert (report.outcome, report.amount_minor) == (Outcome.SUCCEEDED, 300)


def test_starting_again_with_the_same_instruction_is_one_payment(stage: Stage) -> None:
    asked = instruction(stage)
    first = stage.account.start(asked, now=stage.now)
    assert stage.account.start(asked, now=stage.now) == first


def test_a_number_nobody_knows_is_not_found(stage: Stage) -> None:
    reference = PaymentReference(number=new_provider_number(BOOK))
    assert stage.account.query(reference, now=stage.now).outcome is Outcome.NOT_FOUND
    assert stage.account.close(reference, now=stage.now).outcome is Outcome.NOT_FOUND


def test_a_payment_is_pending_until_it_is_paid(stage: Stage) -> None:
    reference = started(stage)
    assert stage.account.query(reference, now=stage.now).outcome is Outcome.PENDING
    stage.pay(reference.number)
    report = stage.account.query(reference, now=stage.now)
    assert (report.outcome, report.amount_minor, report.currency, report.number) == (
        Outcome.SUCCEEDED,
        300,
        "CNY",
        reference.number,
    )
    assert report.provider_number
    assert report.happened_at == stage.now


def test_an_unpaid_payment_closes_and_a_paid_one_does_not(stage: Stage) -> None:
    unpaid, bought = started(stage), paid(stage)
    assert stage.account.close(unpaid, now=stage.now).outcome is Outcome.CLOSED
    assert stage.account.query(unpaid, now=stage.now).outcome is Outcome.CLOSED
    assert stage.account.close(bought, now=stage.now).outcome is Outcome.UNKNOWN
    assert stage.account.query(bought, now=stage.now).outcome is Outcome.SUCCEEDED


def test_a_payment_runs_out_of_time(stage: Stage) -> None:
    reference = started(stage)
    stage.expire(reference.number)
    assert stage.account.query(reference, now=stage.now).outcome is Outcome.CLOSED
    report = only_notice(stage).report
    assert report is not None
    assert (report.outcome, report.number) == (Outcome.CLOSED, reference.number)


def test_a_refund_repeated_is_one_refund(stage: Stage) -> None:
    bought = paid(stage)
    asked = refund_of(bought)
    assert stage.account.refund(asked, now=stage.now).outcome is Outcome.SUCCEEDED
    assert stage.account.refund(asked, now=stage.now).outcome in {
        Outcome.SUCCEEDED,
        Outcome.UNKNOWN,
    }
    report = stage.account.query(reference_of(asked), now=stage.now)
    assert (report.outcome, report.amount_minor, report.refund_number) == (
        Outcome.SUCCEEDED,
        100,
        asked.refund_number,
    )
    rest = refund_of(bought, amount_minor=200)
    assert stage.account.refund(rest, now=stage.now).outcome is Outcome.SUCCEEDED
    assert stage.account.query(bought, now=stage.now).outcome is Outcome.SUCCEEDED


def test_a_refund_beyond_what_was_paid_fails(stage: Stage) -> None:
    asked = refund_of(paid(stage), amount_minor=301)
    assert stage.account.refund(asked, now=stage.now).outcome is Outcome.FAILED
    assert stage.account.query(reference_of(asked), now=stage.now).outcome is Outcome.NOT_FOUND


def test_a_refund_number_with_another_amount_is_never_a_failure(stage: Stage) -> None:
    """The first one moved money, and calling the number failed would let it move again.

    Seen to fail when ACQ.DISCORDANT_REPEAT_REQUEST counted as a failure.
    """
    asked = refund_of(paid(stage))
    stage.account.refund(asked, now=stage.now)
    other = replace(asked, amount_minor=150)
    assert stage.account.refund(other, now=stage.now).outcome is Outcome.UNKNOWN
    assert stage.account.query(reference_of(asked), now=stage.now).amount_minor == 100


def test_a_refund_that_is_not_confirmed_is_unknown_until_repeated(stage: Stage) -> None:
    asked = refund_of(paid(stage))
    stage.fault("refund_not_changed")
    assert stage.account.refund(asked, now=stage.now).outcome is Outcome.UNKNOWN
    assert stage.account.query(reference_of(asked), now=stage.now).outcome is Outcome.NOT_FOUND
    assert stage.account.refund(asked, now=stage.now).outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("fault", ["lost_answer", "system_error", "bad_answer_signature"])
def test_what_is_not_said_clearly_is_unknown(stage: Stage, fault: str) -> None:
    bought = paid(stage)
    asks: list[Callable[[], Outcome]] = [
        lambda: stage.account.start(instruction(stage), now=stage.now).outcome,
        lambda: stage.account.query(bought, now=stage.now).outcome,
        lambda: stage.account.close(bought, now=stage.now).outcome,
        lambda: stage.account.refund(refund_of(bought), now=stage.now).outcome,
    ]
    for ask in asks:
        stage.fault(fault)
        assert ask() is Outcome.UNKNOWN


def test_an_answer_lost_after_success_is_found_by_query(stage: Stage) -> None:
    bought = paid(stage)
    asked = refund_of(bought)
    stage.fault("lost_answer")
    assert stage.account.refund(asked, now=stage.now).outcome is Outcome.UNKNOWN
    assert stage.account.query(reference_of(asked), now=stage.now).outcome is Outcome.SUCCEEDED


def test_silence_is_unknown(stage: Stage) -> None:
    reference = PaymentReference(number=new_provider_number(BOOK))
    asked = refund_of(reference)
    silent, now = stage.silent, stage.now
    assert silent.start(instruction(stage), now=now).outcome is Outcome.UNKNOWN
    assert silent.query(reference, now=now).outcome is Outcome.UNKNOWN
    assert silent.query(reference_of(asked), now=now).outcome is Outcome.UNKNOWN
    assert silent.close(reference, now=now).outcome is Outcome.UNKNOWN
    assert silent.refund(asked, now=now).outcome is Outcome.UNKNOWN


def test_a_notice_says_what_a_query_says(stage: Stage) -> None:
    reference = paid(stage)
    notice = only_notice(stage)
    assert notice.notice_id
    told = notice.report
    assert told is not None
    assert (told.app_id, told.seller_id) == (stage.account.app_id, stage.account.seller_id)
    asked = stage.account.query(reference, now=stage.now)
    assert replace(told, app_id=None, seller_id=None) == asked


def test_a_refund_notice_names_the_refund(stage: Stage) -> None:
    asked = refund_of(paid(stage))
    stage.letters()
    stage.account.refund(asked, now=stage.now)
    told = only_notice(stage).report
    assert told is not None
    assert (told.outcome, told.number, told.refund_number) == (
        Outcome.SUCCEEDED,
        asked.number,
        asked.refund_number,
    )
    assert told.amount_minor in {None, 100}


def test_a_second_notice_has_the_first_ones_id(stage: Stage) -> None:
    stage.fault("duplicate_notice")
    paid(stage)
    first, second = (stage.account.read_notice(*one, now=stage.now) for one in stage.letters())
    assert first == second


def test_notices_may_come_in_another_order(stage: Stage) -> None:
    stage.fault("reordered_notice")
    first, second = paid(stage), paid(stage)
    early = only_notice(stage).report
    stage.later(timedelta(minutes=1))
    late = only_notice(stage).report
    assert early is not None
    assert late is not None
    assert (early.number, late.number) == (second.number, first.number)


@pytest.mark.parametrize("fault", ["tampered_byte", "bad_signature"])
def test_a_notice_that_is_not_authentic_is_rejected(stage: Stage, fault: str) -> None:
    stage.fault(fault)
    paid(stage)
    (letter,) = stage.letters()
    with pytest.raises(NoticeRejected):
        stage.account.read_notice(*letter, now=stage.now)


@pytest.mark.parametrize(
    ("fault", "fact"),
    [
        ("wrong_amount", "amount_minor"),
        ("wrong_app_id", "app_id"),
        ("wrong_seller", "seller_id"),
    ],
)
def test_a_right_signature_over_a_wrong_fact_shows_the_fact(
    stage: Stage, fault: str, fact: str
) -> None:
    """The adapter reports what was said; whoever acts compares it with our own record.

    Seen to fail when a report left out the app that the notice named.
    """
    stage.fault(fault)
    reference = paid(stage)
    told = only_notice(stage).report
    ours = Report(
        outcome=Outcome.SUCCEEDED,
        number=reference.number,
        amount_minor=300,
        app_id=stage.account.app_id,
        seller_id=stage.account.seller_id,
    )
    assert told is not None
    compared = ("number", "amount_minor", "app_id", "seller_id")
    differing = [name for name in compared if getattr(told, name) != getattr(ours, name)]
    assert differing == [fact]


def test_the_answers_to_a_callback_differ(stage: Stage) -> None:
    assert stage.account.accepted != stage.account.refused
    assert stage.account.accepted.status == 200


@given(
    headers=st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=5),
    body=st.binary(max_size=500),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_are_a_notice_or_rejected(
    stage: Stage, headers: dict[str, str], body: bytes
) -> None:
    with suppress(NoticeRejected):
        assert isinstance(stage.account.read_notice(headers, body, now=stage.now), Notice)
