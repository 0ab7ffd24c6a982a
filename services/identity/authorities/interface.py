"""What an authority does, and how it can fail."""

from datetime import datetime
from typing import Protocol

from payments.kernel.errors import Invalid, Unavailable
from services.identity.rules.subjects import SignInProvider, Subject


class AuthoritySilent(Unavailable):
    """The provider did not say who it is; the code may be used up, so a new one is needed."""

    code = "authority-silent"
    zh = "授权平台暂时无法访问，请重新授权"
    en = "The provider could not be asked; authorise again"


class AuthorityUnknown(Invalid):
    """We have no app at this provider, or not this one."""

    code = "sign-in-not-offered"
    zh = "不支持该登录方式"
    en = "This way of signing in is not offered"


class Authority(Protocol):
    """One app of ours at a provider. Stateless: keys and addresses are given when it is made."""

    @property
    def provider(self) -> SignInProvider:
        """Whose codes it takes."""

    @property
    def app_id(self) -> str:
        """The app as the provider knows it; a subject means something within it only."""

    def identify(self, code: str, *, now: datetime) -> Subject:
        """Use up a code and return whose it is. Raises CodeRefused and AuthoritySilent."""
