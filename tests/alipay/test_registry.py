from pathlib import Path

import pytest

from payments.kernel.http import HttpClient
from payments.providers.accounts import AccountInvalid
from payments.providers.interface import Scene, SceneNotSupported
from payments.providers.registry import AccountUnknown, Providers
from simulator.keys import ensure_alipay


def load(directory: Path, *, production: bool = False) -> Providers:
    return Providers.load(directory, http=HttpClient(), production=production)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("made")
    ensure_alipay(directory, gateway="http://127.0.0.1:1/alipay/gateway.do")
    return directory


@pytest.fixture
def directory(made: Path, tmp_path: Path) -> Path:
    """A copy of the development keys, to spoil."""
    for path in made.rglob("*"):
        if path.is_file():
            copy = tmp_path / path.relative_to(made)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return tmp_path


def edit(directory: Path, old: str, new: str) -> None:
    path = directory / "alipay-main.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_development_keys_open_as_an_account(directory: Path) -> None:
    accounts = load(directory)
    account = accounts.get("alipay-main")
    assert (account.name, account.app_id, account.seller_id) == (
        "alipay",
        "2021000000000001",
        "2088000000000002",
    )
    assert accounts.choose(scene=Scene.MINI_PROGRAM, provider_name="alipay") is account
    assert list(accounts) == [account]
    with pytest.raises(SceneNotSupported):
        accounts.choose(scene=Scene.WITHHOLDING, provider_name="alipay")
    with pytest.raises(SceneNotSupported):
        accounts.choose(scene=Scene.MINI_PROGRAM, provider_name="wechatpay")
    with pytest.raises(AccountUnknown):
        accounts.get("alipay-other")


def test_keys_are_made_once_for_their_owner_only(made: Path, directory: Path) -> None:
    key = (directory / "alipay-main/app_private_key.pem").read_bytes()
    ensure_alipay(directory, gateway="http://127.0.0.1:2/alipay/gateway.do")
    assert (directory / "alipay-main/app_private_key.pem").read_bytes() == key
    assert "127.0.0.1:2" in (directory / "alipay-main.toml").read_text()
    assert (made / "alipay-main/app_private_key.pem").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('provider = "alipay"', 'provider = "nobody"', "set provider to one of: alipay"),
        ('app_id = "2021000000000001"\n', "", "set app_id to a text"),
        ("seller_id =", "sellerid =", "nothing reads sellerid; correct its name or remove it"),
        ("app_private_key.pem", "gone.pem", "which cannot be read"),
        ("alipay-main/alipay_public_key.pem", "alipay-main.toml", "a key or certificate is not"),
        ('provider = "alipay"', "provider =", "it cannot be read as TOML"),
        ("development = true\n", "", "set gateway to an https address"),
    ],
)
def test_a_wrong_account_is_said_in_one_sentence(
    directory: Path, old: str, new: str, reason: str
) -> None:
    edit(directory, old, new)
    with pytest.raises(AccountInvalid, match=r"alipay-main\.toml: .*\.$") as refused:
        load(directory)
    assert reason in refused.value.detail


def test_a_file_whose_name_cannot_be_an_account_id_is_refused(directory: Path) -> None:
    (directory / "alipay-main.toml").rename(directory / "Alipay Main.toml")
    with pytest.raises(AccountInvalid, match="rename it"):
        load(directory)


def test_production_refuses_development_keys_and_an_empty_directory(
    directory: Path, tmp_path: Path
) -> None:
    with pytest.raises(AccountInvalid, match="development keys and this is production"):
        load(directory, production=True)
    with pytest.raises(AccountInvalid, match="put one account file"):
        load(tmp_path / "none", production=True)
    assert not list(load(tmp_path / "none"))
