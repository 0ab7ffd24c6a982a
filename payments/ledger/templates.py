"""Posting templates: the shapes a journal may have, named, versioned, and checked at boot.

    PAID = PostingTemplate(
        name="orders.paid",
        version=1,
        legs=(
            Leg(
                source="liabilities:customer-advances:{service}",
                destination="assets:due-from:{platform}",
            ),
        ),
    )

A `{placeholder}` is one whole segment of an account name. Every leg moves its amount from source
to destination, so whatever is filled in, the journal balances.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from payments.kernel.errors import Invalid
from payments.kernel.money import LARGEST_AMOUNT_MINOR, AmountInvalid
from payments.ledger.rules import AccountNameInvalid, check_account_name, check_segment

LEGS_PER_JOURNAL: Final = 100

_NAME: Final = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+", re.ASCII)
_WORD: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_PLACEHOLDER: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}", re.ASCII)


class TemplateInvalid(Invalid):
    """A template that could not produce a sound journal; found at boot."""

    code = "template-invalid"
    zh = "记账模板不正确"
    en = "The posting template is not valid"


class TemplateNotFilled(Invalid):
    """The amounts or parameters are not exactly those the template asks for."""

    code = "template-not-filled"
    zh = "记账参数与模板不符"
    en = "The amounts or parameters do not fit the posting template"


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One movement: `amount` names the amount that leaves `source` and enters `destination`."""

    source: str
    destination: str
    amount: str = "amount"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A leg with accounts and amount filled in; it becomes one posting.

    `name` is the name the leg's template has for the amount.
    """

    source: str
    destination: str
    amount_minor: int
    name: str = "amount"


@dataclass(frozen=True, kw_only=True)
class PostingTemplate:
    """A named and versioned list of legs; a changed list of legs is a new version."""

    name: str
    version: int
    legs: tuple[Leg, ...]

    @property
    def amounts(self) -> frozenset[str]:
        """The names of the amounts it needs."""
        return frozenset(leg.amount for leg in self.legs)

    @property
    def parameters(self) -> frozenset[str]:
        """The names of the placeholders in its account names."""
        return frozenset(
            found
            for leg in self.legs
            for account in (leg.source, leg.destination)
            for found in _PLACEHOLDER.findall(account)
        )

    def fill(
        self, *, amounts: Mapping[str, int], parameters: Mapping[str, str]
    ) -> tuple[Line, ...]:
        """Return the lines of a journal; a leg whose amount is zero has none.

        Raises TemplateNotFilled for a missing or superfluous name or when every amount is zero,
        AmountInvalid for a negative or too large amount, AccountNameInvalid for a bad parameter.
        """
        if set(amounts) != self.amounts or set(parameters) != self.parameters:
            raise TemplateNotFilled(
                f"{self.name} v{self.version} takes amounts {sorted(self.amounts)}"
                f" and parameters {sorted(self.parameters)}"
            )
        for amount in amounts.values():
            if not 0 <= amount <= LARGEST_AMOUNT_MINOR:
                raise AmountInvalid(f"{self.name}: an amount lies outside what may be posted")
        for value in parameters.values():
            check_segment(value)
        lines = tuple(
            Line(
                source=check_account_name(leg.source.format_map(parameters)),
                destination=check_account_name(leg.destination.format_map(parameters)),
                amount_minor=amounts[leg.amount],
                name=leg.amount,
            )
            for leg in self.legs
            if amounts[leg.amount]
        )
        if not lines:
            raise TemplateNotFilled(f"{self.name}: every amount is zero")
        if any(line.source == line.destination for line in lines):
            raise TemplateNotFilled(f"{self.name}: a leg would leave and enter one account")
        return lines


def check(template: PostingTemplate) -> None:
    """Check that a template is well formed. Raises TemplateInvalid with what is wrong."""
    for problem in _problems(template):
        raise TemplateInvalid(f"posting template {template.name!r} v{template.version}: {problem}")


def check_all(templates: Iterable[PostingTemplate]) -> None:
    """Check every template, and that no name and version is given to two different ones."""
    seen: dict[tuple[str, int], PostingTemplate] = {}
    for template in templates:
        check(template)
        if seen.setdefault((template.name, template.version), template) != template:
            raise TemplateInvalid(
                f"posting template {template.name!r} v{template.version} is declared twice;"
                " give the changed one the next version"
            )


def _problems(template: PostingTemplate) -> Iterator[str]:
    if not _NAME.fullmatch(template.name):
        yield "name it like 'orders.paid'"
    if template.version < 1:
        yield "versions start at 1"
    if not 1 <= len(template.legs) <= LEGS_PER_JOURNAL:
        yield f"it needs between 1 and {LEGS_PER_JOURNAL} legs"
    for leg in template.legs:
        yield from _problems_of_leg(leg)


def _problems_of_leg(leg: Leg) -> Iterator[str]:
    if leg.source == leg.destination:
        yield f"a leg leaves and enters {leg.source}"
    if not _WORD.fullmatch(leg.amount):
        yield f"{leg.amount!r} is not a name for an amount"
    for account in (leg.source, leg.destination):
        try:
            check_account_name(_PLACEHOLDER.sub("x", account))
        except AccountNameInvalid as error:
            yield error.detail
        for segment in account.split(":"):
            if "{" in segment and not _PLACEHOLDER.fullmatch(segment):
                yield f"a placeholder is a whole segment, unlike {segment!r}"
