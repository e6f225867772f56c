"""Signatures are those of Standard Webhooks; what is not ours, not whole or not fresh is refused."""

import base64
import subprocess
import sys

import pytest

from imageplane.errors import RequestError
from imageplane.jobs import webhook

# The example that the libraries of Standard Webhooks test themselves with.
PUBLISHED = {
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "timestamp": 1614265330,
    "body": b'{"test": 2432232314}',
    "signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
NOW = 1_764_000_000
BODY = b'{"success": true}'


def secret_of(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def by_hand(message_id: str, timestamp: int, body: bytes, key: bytes) -> str:
    """Compute a signature with another program: HMAC as RFC 2104 defines it, and no `hmac`."""
    code = (
        "import sys, hashlib, base64\n"
        "key, message = (base64.b64decode(word) for word in sys.argv[1:])\n"
        "block = key.ljust(64, b'\\0')\n"
        "inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + message).digest()\n"
        "outer = hashlib.sha256(bytes(byte ^ 0x5c for byte in block) + inner).digest()\n"
        "print('v1,' + base64.b64encode(outer).decode())\n"
    )
    message = f"{message_id}.{timestamp}.".encode() + body
    words = [base64.b64encode(part).decode() for part in (key, message)]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def signed(*secrets: str, body: bytes = BODY, at: int = NOW) -> dict[str, str]:
    return webhook.headers_of("msg_1", at, body, secrets)


def test_the_published_example() -> None:
    headers = webhook.headers_of(PUBLISHED["id"], PUBLISHED["timestamp"], PUBLISHED["body"], [PUBLISHED["secret"]])
    assert headers == {
        "webhook-id": PUBLISHED["id"],
        "webhook-timestamp": "1614265330",
        "webhook-signature": PUBLISHED["signature"],
    }
    assert webhook.refusal_of(headers, PUBLISHED["body"], [PUBLISHED["secret"]], PUBLISHED["timestamp"]) is None


@pytest.mark.parametrize(
    ("message_id", "timestamp", "body", "key"),
    [
        ("msg_01KB", 0, b"", b"k" * 24),
        ("msg_01KB", 1, b"{}", bytes(range(24))),
        ("msg_01KB", NOW, b"\x00\xff" * 500, bytes(range(200, 232))),
        ("msg_2", 99_999_999_999, '{"error": {"message": "größer als 5 €"}}'.encode(), bytes(64)),
        ("msg_3", NOW, b"a.b.c", b"+/" * 20),
    ],
)
def test_signatures_are_what_an_independent_computation_gives(
    message_id: str, timestamp: int, body: bytes, key: bytes
) -> None:
    given = webhook.signature_of(message_id, timestamp, body, secret_of(key))
    assert given == by_hand(message_id, timestamp, body, key)


def test_a_new_secret_is_32_bytes_and_never_the_same() -> None:
    made = {webhook.new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(secret.startswith("whsec_") and len(webhook.key_of(secret)) == 32 for secret in made)


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", secret_of(b"k" * 23), secret_of(b"k" * 65), "whsec_no base64!", "whsec_größer", "WHSEC_" + "A" * 32],
)
def test_what_is_no_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(RequestError) as caught:
        webhook.key_of(secret)
    assert len(secret) < 7 or secret[6:] not in caught.value.message


@pytest.mark.parametrize("size", [24, 32, 64])
def test_secrets_of_24_to_64_bytes_with_and_without_their_beginning(size: int) -> None:
    secret = secret_of(b"k" * size)
    assert webhook.key_of(secret) == webhook.key_of(secret.removeprefix("whsec_")) == b"k" * size


def test_while_a_secret_is_rotated_both_signatures_are_there() -> None:
    new, old, other = (webhook.new_secret() for _ in range(3))
    headers = signed(new, old)
    assert headers["webhook-signature"].split(" ") == [
        signed(new)["webhook-signature"],
        signed(old)["webhook-signature"],
    ]
    for known in ([new], [old], [other, old]):
        assert webhook.refusal_of(headers, BODY, known, NOW) is None
    assert webhook.refusal_of(headers, BODY, [other], NOW) == "No signature of the message is right."
    assert webhook.refusal_of(headers, BODY, [], NOW) is not None


@pytest.mark.parametrize("age_in_s", [-300, 0, 300])
def test_what_is_fresh_is_believed(age_in_s: int) -> None:
    secret = webhook.new_secret()
    assert webhook.refusal_of(signed(secret, at=NOW - age_in_s), BODY, [secret], NOW) is None


@pytest.mark.parametrize(("age_in_s", "word"), [(-301, "future"), (301, "old"), (10**9, "old")])
def test_what_is_not_fresh_is_refused(age_in_s: int, word: str) -> None:
    secret = webhook.new_secret()
    assert word in (webhook.refusal_of(signed(secret, at=NOW - age_in_s), BODY, [secret], NOW) or "")


SECRET = webhook.new_secret()
GOOD = signed(SECRET)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": str(NOW + 1)},
        {"webhook-timestamp": f"{NOW}.0"},
        {"webhook-timestamp": f"-{NOW}"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "\u0660"},
        {"webhook-timestamp": "9" * 5000},
        {"webhook-signature": ""},
        {"webhook-signature": GOOD["webhook-signature"][3:]},
        {"webhook-signature": "v1a" + GOOD["webhook-signature"][2:]},
        {"webhook-signature": "v2" + GOOD["webhook-signature"][2:]},
        {"webhook-signature": GOOD["webhook-signature"][:-1]},
        {"webhook-signature": "v1,größer"},
    ],
)
def test_what_was_changed_is_refused(change: dict[str, str]) -> None:
    assert webhook.refusal_of(GOOD, BODY, [SECRET], NOW) is None
    assert webhook.refusal_of({**GOOD, **change}, BODY, [SECRET], NOW) is not None


def test_another_body_is_refused() -> None:
    assert webhook.refusal_of(GOOD, BODY + b" ", [SECRET], NOW) is not None


def test_names_of_headers_come_in_any_letters_and_other_versions_are_passed_over() -> None:
    shouted = {name.upper(): value for name, value in GOOD.items()}
    shouted["WEBHOOK-SIGNATURE"] = f"v1a,AAAA v1,AAAA {GOOD['webhook-signature']}"
    assert webhook.refusal_of(shouted, BODY, [SECRET], NOW) is None
