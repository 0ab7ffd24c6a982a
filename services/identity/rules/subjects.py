"""Who an outside authority says somebody is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from payments.kernel.errors import Unauthenticated

LONGEST_CODE: Final = 128
LONGEST_SUBJECT: Final = 128


class SignInProvider(StrEnum):
    """Whose authorisation codes are taken."""

    ALIPAY = "alipay"
    WECHAT = "wechat"


class CodeRefused(Unauthenticated):
    """The authorisation code is wrong, too old, for another app, or was used before."""

    code = "code-refused"
    zh = "授权码无效，请重新授权"
    en = "The authorisation code is not valid"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A person as one authority knows them within one app of ours.

    The same person has another `subject` in another app, so the app belongs to the identity.
    """

    provider: SignInProvider
    app_id: str
    subject: str

    def __post_init__(self) -> None:
        assert 1 <= len(self.subject) <= LONGEST_SUBJECT, "the authority named nobody"

    @property
    def index_value(self) -> str:
        """The text whose blind index finds the citizen; no part can run into the next."""
        return f"{self.provider}\x00{self.app_id}\x00{self.subject}"
