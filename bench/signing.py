"""Signing a request and verifying a notice, against the bare RSA call on the same bytes."""

import json
import time
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from bench.report import Aim, Progress, Report, environment
from payments.kernel.crypto import load_rsa_private_key, load_rsa_public_key
from payments.providers.alipay import signing, wire

VECTORS: Final = Path(__file__).resolve().parents[1] / "tests" / "vectors" / "providers.json"
ROUNDS: Final = 9
REPEATS: Final = 400
LARGEST_RATIO: Final = 1.5


def run(progress: Progress) -> Report:
    """Measure Alipay's signing and verifying; rounds of ours and of the bare call alternate."""
    vectors = json.loads(VECTORS.read_text("utf-8"))
    figures: dict[str, float] = {}
    aims = []
    for what, (ours, bare) in {"sign": _sign(vectors), "verify": _verify(vectors)}.items():
        progress(f"alipay {what}")
        pairs = [(_microseconds(ours), _microseconds(bare)) for _ in range(ROUNDS)]
        figures[f"alipay_{what}_microseconds"] = median(pair[0] for pair in pairs)
        figures[f"bare_{what}_microseconds"] = median(pair[1] for pair in pairs)
        ratio = median(one / other for one, other in pairs)
        figures[f"alipay_{what}_ratio"] = ratio
        aims.append(
            Aim(
                what=f"alipay {what} against the bare call",
                aim=f"at most {LARGEST_RATIO}",
                measured=ratio,
                met=ratio <= LARGEST_RATIO,
            )
        )
    read = _read(vectors)
    figures["alipay_read_notice_microseconds"] = median(_microseconds(read) for _ in range(ROUNDS))
    return Report(name="signing", environment=environment(), figures=figures, aims=tuple(aims))


def _sign(vectors: dict[str, Any]) -> tuple[Callable[[], object], Callable[[], object]]:
    [vector] = vectors["alipay_request"]
    key = load_rsa_private_key(vectors["keys"][vector["private_key"]])
    parameters, content = vector["params"], vector["string_to_sign"].encode()
    assert signing.request_content(parameters).encode() == content
    return (
        lambda: signing.sign(signing.request_content(parameters).encode(), key),
        lambda: key.sign(content, PKCS1v15(), SHA256()),
    )


def _verify(vectors: dict[str, Any]) -> tuple[Callable[[], object], Callable[[], object]]:
    vector = vectors["alipay_notify"][0]
    key = load_rsa_public_key(vectors["keys"][vector["public_key"]])
    pairs = [(name.encode(), value.encode()) for name, value in vector["form"].items()]
    raw, content = b64decode(vector["sign"]), vector["string_to_sign"].encode()

    def ours() -> bool:
        signed = signing.notice_content(pairs, without=signing.NOTICE_RULES[0])
        return signing.is_signed(signed, vector["sign"], key)

    assert ours()
    return ours, lambda: key.verify(raw, content, PKCS1v15(), SHA256())


def _read(vectors: dict[str, Any]) -> Callable[[], object]:
    """Return the whole of what a callback costs: splitting, decoding and verifying its body."""
    vector = vectors["alipay_notify"][0]
    key = load_rsa_public_key(vectors["keys"][vector["public_key"]])
    alipay, body = wire.AlipayKey(key=key, name="alipay"), vector["raw_body"].encode()
    return lambda: wire.read_notice(alipay, body)


def _microseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(REPEATS):
        call()
    return (time.perf_counter() - began) / REPEATS * 1_000_000
