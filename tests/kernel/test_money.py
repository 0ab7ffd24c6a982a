import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.kernel.money import AmountInvalid, format_yuan, parse_yuan


@given(st.integers(min_value=0, max_value=10**11 - 1))
def test_an_amount_survives_the_way_to_yuan_and_back(amount_minor: int) -> None:
    assert parse_yuan(format_yuan(amount_minor)) == amount_minor


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1e3", "1.005", " 1", "1 ", "０.10", ".5", "1.", "01", "NaN", "1,000"]
)
def test_what_is_not_a_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(AmountInvalid):
        parse_yuan(text)
