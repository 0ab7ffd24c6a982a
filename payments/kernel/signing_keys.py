"""Ed25519 keys by id (RFC 8032): one signs, all verify, so that keys rotate with overlap."""

from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class SigningKeys:
    """A ring made from 32-byte seeds; `current` names the one that signs."""

    def __init__(self, seeds: Mapping[str, bytes], *, current: str) -> None:
        self._keys = {
            key_id: Ed25519PrivateKey.from_private_bytes(seed) for key_id, seed in seeds.items()
        }
        self.current = current
        assert current in self._keys, "the current key is in the ring"

    def sign(self, message: bytes) -> bytes:
        """Return the current key's signature."""
        return self._keys[self.current].sign(message)

    def verifies(self, message: bytes, signature: bytes, *, key_id: str) -> bool:
        """Say whether the ring has that key and the key made the signature."""
        key = self._keys.get(key_id)
        if key is None:
            return False
        try:
            key.public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def public_keys(self) -> dict[str, str]:
        """Return every public key as PEM, for whoever verifies elsewhere."""
        return {
            key_id: key.public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            .decode("ascii")
            for key_id, key in self._keys.items()
        }
