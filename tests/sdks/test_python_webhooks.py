"""Webhooks that the Python client believes, and those that it does not."""

import base64
import json
import time
from typing import Any

import pytest
from imageplane_client import WebhookVerificationError, verify_webhook

from imageplane.jobs.webhook import headers_of, new_secret

SECRET, OTHER = new_secret(), new_secret()
BODY = json.dumps({"success": True, "api": "image_transformation", "data": {"buffer": "QUJD"}}).encode()


def signed(*secrets: str, body: bytes = BODY, age_in_s: float = 0) -> dict[str, str]:
    """Give the headers of a message as a server signs it."""
    return headers_of("msg_1", int(time.time() - age_in_s), body, secrets)


def test_what_the_server_signs_is_believed() -> None:
    assert verify_webhook(BODY, signed(SECRET), SECRET) == json.loads(BODY)


def test_the_example_of_the_standard_is_believed() -> None:
    body = b'{"test": 2432232314}'
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    found: Any = verify_webhook(body, headers, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", tolerance_in_s=float("inf"))
    assert found == {"test": 2432232314}


def test_names_of_headers_are_in_any_letters() -> None:
    headers = {name.title(): value for name, value in signed(SECRET).items()}
    assert "Webhook-Id" in headers
    assert verify_webhook(BODY, headers, SECRET)


@pytest.mark.parametrize("signers", [(SECRET, OTHER), (OTHER, SECRET)], ids=["new last", "new first"])
@pytest.mark.parametrize(
    "known", [SECRET, [SECRET], [OTHER], [OTHER, SECRET]], ids=["one", "a list", "the other", "both"]
)
def test_while_a_secret_is_rotated_either_will_do(signers: tuple[str, ...], known: Any) -> None:
    assert verify_webhook(BODY, signed(*signers), known)


def test_signatures_of_other_kinds_are_passed_over() -> None:
    headers = signed(SECRET)
    headers["webhook-signature"] = f"v1a,AAAA nonsense v1, {headers['webhook-signature']} v2,AAAA ö"
    assert verify_webhook(BODY, headers, SECRET)


def test_a_secret_is_known_with_and_without_its_prefix() -> None:
    assert verify_webhook(BODY, signed(SECRET), SECRET.removeprefix("whsec_"))


@pytest.mark.parametrize(
    ("body", "change"),
    [
        (BODY + b" ", {}),
        (BODY, {"webhook-id": "msg_2"}),
        (BODY, {"webhook-timestamp": "a second earlier"}),
        (BODY, {"webhook-signature": f"v1,{base64.b64encode(bytes(32)).decode()}"}),
        (BODY, {"webhook-signature": "v1,"}),
        (BODY, {"webhook-signature": "v1,ö"}),
        (BODY, {"webhook-signature": "of another secret"}),
    ],
    ids=["body", "id", "timestamp", "nothing", "empty", "no text", "secret"],
)
def test_what_was_signed_otherwise_is_not_believed(body: bytes, change: dict[str, str]) -> None:
    headers = {**signed(SECRET), **change}
    if change.get("webhook-timestamp"):
        headers["webhook-timestamp"] = str(int(time.time()) - 1)
    if change.get("webhook-signature") == "of another secret":
        headers["webhook-signature"] = signed(OTHER)["webhook-signature"]
    with pytest.raises(WebhookVerificationError, match="signature"):
        verify_webhook(body, headers, SECRET)


def test_a_right_signature_of_another_version_is_not_believed() -> None:
    headers = signed(SECRET)
    headers["webhook-signature"] = headers["webhook-signature"].replace("v1,", "v2,")
    with pytest.raises(WebhookVerificationError, match="signature"):
        verify_webhook(BODY, headers, SECRET)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_what_lacks_a_header_is_not_believed(name: str) -> None:
    headers = signed(SECRET)
    del headers[name]
    with pytest.raises(WebhookVerificationError, match=name):
        verify_webhook(BODY, headers, SECRET)


@pytest.mark.parametrize("age_in_s", [400, -400])
def test_what_is_too_old_or_too_early_is_not_believed(age_in_s: float) -> None:
    with pytest.raises(WebhookVerificationError, match="300 s"):
        verify_webhook(BODY, signed(SECRET, age_in_s=age_in_s), SECRET)
    assert verify_webhook(BODY, signed(SECRET, age_in_s=age_in_s), SECRET, tolerance_in_s=500)


@pytest.mark.parametrize("timestamp", ["now", "-1", "1.5", "٣", "9" * 400])
def test_what_has_no_moment_is_not_believed(timestamp: str) -> None:
    with pytest.raises(WebhookVerificationError, match="number"):
        verify_webhook(BODY, {**signed(SECRET), "webhook-timestamp": timestamp}, SECRET)


def test_what_is_signed_and_no_json_is_told_apart() -> None:
    with pytest.raises(WebhookVerificationError, match="JSON"):
        verify_webhook(b"<html>", signed(SECRET, body=b"<html>"), SECRET)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!", [SECRET, "no secret"]])
def test_what_is_no_secret_is_a_fault_of_the_program(secret: Any) -> None:
    with pytest.raises(ValueError, match="whsec_") as caught:
        verify_webhook(BODY, signed(SECRET), secret)
    assert "!!!" not in str(caught.value)


def test_without_any_secret_nothing_is_believed() -> None:
    with pytest.raises(WebhookVerificationError):
        verify_webhook(BODY, signed(SECRET), [])
