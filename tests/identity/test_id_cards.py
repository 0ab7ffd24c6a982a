"""ID card numbers: GB 11643's check digit, and the traps of the dated region table."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.rules.id_cards import IdNumberInvalid, Sex, mask_id_number, read_id_card

TODAY = date(2026, 11, 23)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"

births = st.dates(date(1900, 1, 1), TODAY)


def numbered(region: int, birth: date, order: int) -> str:
    """A card number by the standard's own arithmetic, not the library's."""
    body = f"{region:06d}{birth:%Y%m%d}{order:03d}"
    return body + CHECKS[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


@pytest.mark.parametrize(
    ("number", "birth", "sex"),
    [
        ("330106199003071017", date(1990, 3, 7), Sex.MALE),
        ("330102200002290023", date(2000, 2, 29), Sex.FEMALE),
        ("11010519491231002X", date(1949, 12, 31), Sex.FEMALE),
    ],
)
def test_a_card_says_birth_date_and_sex(number: str, birth: date, sex: Sex) -> None:
    card = read_id_card(number, today=TODAY)
    assert (card.number, card.birth_date, card.sex) == (number, birth, sex)
    assert card.region_known


def test_a_region_the_table_dates_later_is_a_warning_only() -> None:
    """Yuhang was 330125 in 1990; people were given 330110 in moves and mergers all the same."""
    card = read_id_card(numbered(330110, date(1990, 3, 7), 101), today=TODAY)
    assert not card.region_known


@given(st.integers(0, 999_999), births, st.integers(0, 999))
def test_every_number_of_the_standard_is_read(region: int, birth: date, order: int) -> None:
    card = read_id_card(numbered(region, birth, order), today=TODAY)
    assert card.birth_date == birth
    assert (card.sex is Sex.MALE) == (order % 2 == 1)


@given(births, st.integers(0, 999), st.integers(0, 17), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(birth: date, order: int, place: int, step: int) -> None:
    """Seen to fail with the check digit's comparison left out."""
    number = numbered(330106, birth, order)
    old = number[place]
    wrong = "0" if old == "X" else str((int(old) + step) % 10)
    with pytest.raises(IdNumberInvalid):
        read_id_card(number[:place] + wrong + number[place + 1 :], today=TODAY)


@given(births, st.integers(0, 999), st.integers(0, 16))
def test_two_swapped_neighbours_are_always_found(birth: date, order: int, place: int) -> None:
    number = numbered(330106, birth, order)
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if swapped != number:
        with pytest.raises(IdNumberInvalid):
            read_id_card(swapped, today=TODAY)


@pytest.mark.parametrize(
    "typed",
    ["11010519491231002x", " 110105 19491231 002X ", "１１０１０５１９４９１２３１００２Ｘ"],
)
def test_how_people_type_is_forgiven(typed: str) -> None:
    assert read_id_card(typed, today=TODAY).number == "11010519491231002X"


@pytest.mark.parametrize(
    "refused",
    [
        "",
        "330106900307101",  # The 15 digits of before 1999.
        "3301061990030710170",
        "X30106199003071017",
        "३३०१०६१९९००३०७१०१७",
        "330106-19900307-1017",
        numbered(330106, TODAY + timedelta(days=1), 1),
        numbered(330106, date(1890, 1, 1), 1),
    ],
)
def test_what_no_card_bears_is_refused_without_repeating_it(refused: str) -> None:
    with pytest.raises(IdNumberInvalid) as caught:
        read_id_card(refused, today=TODAY)
    assert not refused or refused not in caught.value.detail


def test_a_day_that_does_not_exist_is_refused() -> None:
    body = "33010619990229101"
    check = CHECKS[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]
    with pytest.raises(IdNumberInvalid, match="birth date"):
        read_id_card(body + check, today=TODAY)


def test_the_mask_hides_the_birth_date() -> None:
    assert mask_id_number("330106199003071017") == "330106********1017"
