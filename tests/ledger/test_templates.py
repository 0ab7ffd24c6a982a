import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.kernel.money import AmountInvalid
from payments.ledger.rules import AccountNameInvalid
from payments.ledger.templates import (
    Leg,
    PostingTemplate,
    TemplateInvalid,
    TemplateNotFilled,
    check,
    check_all,
)

PAID = PostingTemplate(
    name="orders.paid",
    version=1,
    legs=(
        Leg(
            source="liabilities:customer-advances:{service}",
            destination="assets:due-from:{platform}",
        ),
        Leg(source="income:fees", destination="assets:due-from:{platform}", amount="fee"),
    ),
)
FILLING = {"service": "transit", "platform": "QTPLAT"}


def test_legs_are_filled_and_zero_amounts_leave_no_line() -> None:
    check(PAID)
    both = PAID.fill(amounts={"amount": 500, "fee": 3}, parameters=FILLING)
    assert [(line.source, line.destination, line.amount_minor) for line in both] == [
        ("liabilities:customer-advances:transit", "assets:due-from:QTPLAT", 500),
        ("income:fees", "assets:due-from:QTPLAT", 3),
    ]
    assert len(PAID.fill(amounts={"amount": 500, "fee": 0}, parameters=FILLING)) == 1


@pytest.mark.parametrize(
    ("amounts", "parameters", "error"),
    [
        ({"amount": 0, "fee": 0}, FILLING, TemplateNotFilled),
        ({"amount": 1}, FILLING, TemplateNotFilled),
        ({"amount": 1, "fee": 1, "tip": 1}, FILLING, TemplateNotFilled),
        ({"amount": 1, "fee": 1}, {"service": "transit"}, TemplateNotFilled),
        ({"amount": -1, "fee": 1}, FILLING, AmountInvalid),
        ({"amount": 10**12, "fee": 1}, FILLING, AmountInvalid),
        ({"amount": 1, "fee": 1}, {**FILLING, "service": "a:b"}, AccountNameInvalid),
        ({"amount": 1, "fee": 1}, {**FILLING, "service": "地铁"}, AccountNameInvalid),
    ],
)
def test_a_template_takes_exactly_what_it_asks_for(
    amounts: dict[str, int], parameters: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        PAID.fill(amounts=amounts, parameters=parameters)


@pytest.mark.parametrize(
    "legs",
    [
        (),
        (Leg(source="income:fees", destination="income:fees"),),
        (Leg(source="revenue:fees", destination="assets:cash"),),
        (Leg(source="income:{}", destination="assets:cash"),),
        (Leg(source="income:x{service}", destination="assets:cash"),),
        (Leg(source="{kind}:fees", destination="assets:cash"),),
        (Leg(source="income:fees", destination="assets:cash", amount="Fee!"),),
    ],
)
def test_a_malformed_template_is_found_at_boot(legs: tuple[Leg, ...]) -> None:
    with pytest.raises(TemplateInvalid):
        check(PostingTemplate(name="orders.paid", version=1, legs=legs))


def test_a_changed_template_needs_a_new_version() -> None:
    changed = PostingTemplate(name=PAID.name, version=1, legs=PAID.legs[:1])
    check_all([PAID, PAID])
    with pytest.raises(TemplateInvalid):
        check_all([PAID, changed])


@given(st.text(max_size=30))
def test_a_parameter_never_becomes_more_than_one_segment(text: str) -> None:
    try:
        lines = PAID.fill(
            amounts={"amount": 1, "fee": 0}, parameters={"service": text, "platform": "QTPLAT"}
        )
    except AccountNameInvalid:
        return
    assert lines[0].source.split(":") == ["liabilities", "customer-advances", text]
