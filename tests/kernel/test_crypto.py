import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from payments.kernel import crypto
from payments.kernel.crypto import DecryptionFailed, KeyUnreadable, Vault

OLD, NEW, INDEX = b"o" * 32, b"n" * 32, b"i" * 32
PLACE = "identity.citizens.phone.cit_1"


@pytest.fixture(scope="module")
def rsa_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def vault(current: str = "new") -> Vault:
    return Vault({"old": OLD, "new": NEW}, current, INDEX)


@settings(deadline=None)
@given(text=st.text())
def test_what_goes_in_comes_out(text: str) -> None:
    assert vault().decrypt(vault().encrypt(text, context=PLACE), context=PLACE) == text


def test_any_flipped_bit_is_noticed() -> None:
    """Seen to fail with the header left out of the authenticated data."""
    twins = Vault({"a": OLD, "c": OLD}, "a", INDEX)  # "a" and "c" differ in one bit.
    token = twins.encrypt("330106199001011234", context=PLACE)
    for bit in range(len(token) * 8):
        altered = bytearray(token)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecryptionFailed):
            twins.decrypt(bytes(altered), context=PLACE)


def test_a_value_moved_to_another_row_does_not_open() -> None:
    """Seen to fail with the context left out of the authenticated data."""
    token = vault().encrypt("13800138000", context=PLACE)
    with pytest.raises(DecryptionFailed):
        vault().decrypt(token, context="identity.citizens.phone.cit_2")


@pytest.mark.parametrize("token", [b"", b"\x01", b"\x01\x03new", b"\x02\x03new" + b"0" * 40])
def test_what_is_no_token_does_not_open(token: bytes) -> None:
    with pytest.raises(DecryptionFailed):
        vault().decrypt(token, context=PLACE)


def test_rotation_opens_the_old_and_seals_with_the_new() -> None:
    token = vault("old").encrypt("x", context=PLACE)
    rotated = vault("new")
    assert rotated.needs_reencryption(token)
    again = rotated.encrypt(rotated.decrypt(token, context=PLACE), context=PLACE)
    assert not rotated.needs_reencryption(again)
    alone = Vault({"new": NEW}, "new", INDEX)
    assert alone.decrypt(again, context=PLACE) == "x"
    with pytest.raises(DecryptionFailed, match="'old'"):
        alone.decrypt(token, context=PLACE)


def test_equal_texts_do_not_look_equal_but_are_found() -> None:
    one = vault()
    assert one.encrypt("x", context=PLACE) != one.encrypt("x", context=PLACE)
    assert one.blind_index("x", purpose="a") == vault("old").blind_index("x", purpose="a")
    assert one.blind_index("x", purpose="a") != one.blind_index("x", purpose="b")
    assert one.blind_index("x", purpose="a") != one.blind_index("y", purpose="a")


@pytest.mark.parametrize(
    ("keys", "current", "index"),
    [
        ({"a": b"short"}, "a", INDEX),
        ({"a": OLD}, "b", INDEX),
        ({"a": OLD}, "a", OLD),
        ({"a": OLD}, "a", b"short"),
        ({"a:b": OLD}, "a:b", INDEX),
        ({}, "a", INDEX),
    ],
)
def test_a_vault_with_wrong_keys_is_not_made(
    keys: dict[str, bytes], current: str, index: bytes
) -> None:
    with pytest.raises(KeyUnreadable):
        Vault(keys, current, index)


@pytest.mark.parametrize("shape", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
def test_every_shape_of_an_rsa_private_key_is_read(
    rsa_key: RSAPrivateKey, shape: PrivateFormat
) -> None:
    pem = rsa_key.private_bytes(Encoding.PEM, shape, NoEncryption()).decode()
    der = rsa_key.private_bytes(Encoding.DER, shape, NoEncryption())
    bare = base64.b64encode(der).decode()
    mislabelled = f"-----BEGIN RSA PRIVATE KEY-----\n{bare}\n-----END RSA PRIVATE KEY-----\n"
    for text in (pem, pem.replace("\n", "\r\n"), bare, f" {bare[:64]}\n{bare[64:]} ", mislabelled):
        assert crypto.load_rsa_private_key(text).private_numbers() == rsa_key.private_numbers()


@pytest.mark.parametrize("shape", [PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1])
def test_every_shape_of_an_rsa_public_key_is_read(
    rsa_key: RSAPrivateKey, shape: PublicFormat
) -> None:
    public = rsa_key.public_key()
    bare = base64.b64encode(public.public_bytes(Encoding.DER, shape)).decode()
    for text in (public.public_bytes(Encoding.PEM, shape).decode(), bare):
        assert crypto.load_rsa_public_key(text) == public


def test_a_key_is_loaded_once(rsa_key: RSAPrivateKey) -> None:
    pem = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert crypto.load_rsa_private_key(pem) is crypto.load_rsa_private_key(pem)


def test_every_shape_of_an_ed25519_key_is_read() -> None:
    key = Ed25519PrivateKey.generate()
    raw = base64.b64encode(key.private_bytes_raw()).decode()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for text in (raw, pem):
        assert crypto.load_ed25519_private_key(text).private_bytes_raw() == key.private_bytes_raw()
    public = key.public_key()
    spki = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for text in (base64.b64encode(public.public_bytes_raw()).decode(), spki):
        assert crypto.load_ed25519_public_key(text) == public


def test_a_key_of_another_kind_is_refused_without_showing_it(rsa_key: RSAPrivateKey) -> None:
    pem = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for load in (
        crypto.load_ed25519_private_key,
        crypto.load_ed25519_public_key,
        crypto.load_rsa_public_key,
    ):
        with pytest.raises(KeyUnreadable) as caught:
            load(pem)
        assert pem[60:90] not in str(caught.value)
    for text in ("", "not base64!", "AAAA", "钥匙"):
        with pytest.raises(KeyUnreadable):
            crypto.load_rsa_private_key(text)


def test_a_short_rsa_key_is_refused() -> None:
    short = generate_private_key(65537, 1024)  # noqa: S505  the point of the test
    pem = short.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(KeyUnreadable, match="2048"):
        crypto.load_rsa_private_key(pem)


def test_data_keys_are_read_from_base64() -> None:
    assert crypto.read_key_bytes(base64.b64encode(OLD).decode()) == OLD
    with pytest.raises(KeyUnreadable):
        crypto.read_key_bytes("AAAA")


def test_comparison() -> None:
    assert crypto.same("abc", b"abc")
    assert not crypto.same("abc", "abd")
    assert not crypto.same("钱", "塘")
