import re

import pytest

from payments.kernel import ids


def test_ids_are_uuid_version_7_and_sort_by_time() -> None:
    made = [ids.ulid() for _ in range(200)]
    assert len(set(made)) == len(made)
    assert all(re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", text) for text in made)
    assert [text[:10] for text in made] == sorted(text[:10] for text in made)


def test_the_book_can_be_read_from_an_id_and_from_a_provider_number() -> None:
    book = ids.BookId("HZMTRO")
    number = ids.new_provider_number(book)
    assert ids.book_of(ids.new_book_id("ord", book)) == book
    assert ids.book_of_provider_number(number) == book
    assert re.fullmatch(r"[0-9A-Z]{32}", number)


@pytest.mark.parametrize("text", ["", "ord_", "ord_HZMTRO", "ord_hzmtro" + "0" * 26, "x" * 40])
def test_what_was_never_an_id_is_not_found(text: str) -> None:
    with pytest.raises(ids.IdMalformed):
        ids.book_of(text)
