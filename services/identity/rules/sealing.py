"""Where a sealed value lives: the context that keeps it from being copied to another place."""

from typing import Final, Literal

PersonalField = Literal["name", "id_number", "phone"]

PERSONAL_FIELDS: Final[tuple[PersonalField, ...]] = ("name", "id_number", "phone")


def place_of_subject(citizen_id: str, provider: str, app_id: str) -> str:
    """Return the context of an external identity's subject."""
    return f"identity.external_identities.subject_sealed.{citizen_id}.{provider}.{app_id}"


def place_of_detail(citizen_id: str, field: PersonalField) -> str:
    """Return the context of one personal detail."""
    return f"identity.personal_details.{field}_sealed.{citizen_id}"
