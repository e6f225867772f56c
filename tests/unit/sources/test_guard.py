"""What a guard allows before anything is looked up, and the settings that open it."""

import asyncio

import pytest
from loopback import Names, answer, saying, serving

from imageplane import settings
from imageplane.errors import RefusedSource, SettingsError
from imageplane.settings import SourcesSettings
from imageplane.sources.guard import Guard, GuardedSession
from imageplane.sources.location import Location


def is_allowed(url: str, **asked: object) -> bool:
    try:
        Guard.of(SourcesSettings.model_validate(asked)).check(Location.parse(url))
    except RefusedSource:
        return False
    return True


@pytest.mark.parametrize(
    ("url", "asked", "expected"),
    [
        ("https://a.example/", {}, True),
        ("https://a.example:8443/", {}, False),
        ("https://a.example:80/", {}, False),
        ("http://a.example/", {}, False),
        ("http://a.example/", {"allow_http": True}, True),
        ("http://a.example:8080/", {"allow_http": True}, False),
        ("https://a.example:8443/", {"allowed_ports": [443, 8443]}, True),
        ("https://a.example/", {"allowed_ports": [8443]}, False),
        ("https://localhost/", {}, False),
        ("https://minio/", {}, False),
        ("https://a.internal/", {}, False),
        ("https://internal.example/", {}, True),
        ("https://minio:9000/", {"allow_private_networks": True}, True),
        ("http://minio:9000/", {"allow_private_networks": True}, False),
        ("https://minio:9000/", {"allow_private_networks": True, "allowed_ports": [443]}, False),
        ("https://10.0.0.1/", {}, False),
        ("https://10.0.0.1:9000/", {"allow_private_networks": True}, True),
        ("https://[::1]:9000/", {"allow_private_networks": True}, True),
        ("https://169.254.169.254/", {"allow_private_networks": True}, False),
        ("https://[::ffff:10.0.0.1]/", {"allow_private_networks": True}, False),
        ("https://1.1.1.1/", {}, True),
        ("https://[2606:4700::1111]/", {}, True),
    ],
)
def test_settings_open_what_they_say_and_no_more(url: str, asked: dict[str, object], expected: bool) -> None:
    assert is_allowed(url, **asked) is expected


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.Settings.model_construct().sources == SourcesSettings()
    monkeypatch.setenv("IMAGEPLANE_SOURCES__ALLOW_HTTP", "true")
    monkeypatch.setenv("IMAGEPLANE_SOURCES__ALLOWED_PORTS", "[443, 8443]")
    monkeypatch.setenv("IMAGEPLANE_SOURCES__TOTAL_TIMEOUT_IN_S", "9.5")
    sources = settings.load().sources
    assert (sources.allow_http, sources.allowed_ports, sources.total_timeout_in_s) == (True, {443, 8443}, 9.5)
    monkeypatch.setenv("IMAGEPLANE_SOURCES__ALLOWED_PORTS", "[0]")
    with pytest.raises(SettingsError, match="IMAGEPLANE_SOURCES__ALLOWED_PORTS"):
        settings.load()


def test_an_open_guard_is_worth_a_warning() -> None:
    assert SourcesSettings().warnings == ()
    both = SourcesSettings(allow_http=True, allow_private_networks=True).warnings
    assert ["ALLOW_HTTP" in both[0], "ALLOW_PRIVATE_NETWORKS" in both[1]] == [True, True]


def test_a_guarded_session_serves_other_senders_too() -> None:
    async def body() -> None:
        guard = Guard(allow_http=True, allow_private_networks=True)
        async with serving(saying(answer(status="202 Accepted"))) as server:
            names = Names({"hook.example": [["127.0.0.1"]], "bad.example": [["169.254.169.254"]]})
            session = GuardedSession(guard, max_connections=1, look_up_timeout_in_s=5, look_up=names)
            try:
                url = server.url("/hook", host="hook.example")
                async with await session.request("POST", url, {"webhook-id": "1"}, b"{}") as response:
                    assert response.status == 202
                assert server.requests[0].startswith(b"POST /hook HTTP/1.1\r\n")
                with pytest.raises(RefusedSource, match="not public"):
                    await session.request("POST", server.url(host="bad.example"), {})
            finally:
                await session.close()

    asyncio.run(body())


def test_the_systems_own_names_are_looked_up() -> None:
    async def body() -> None:
        async with serving(saying(answer())) as server:
            guard = Guard(allow_http=True, allow_private_networks=True)
            session = GuardedSession(guard, max_connections=1, look_up_timeout_in_s=5)
            try:
                async with await session.request("GET", server.url(host="localhost"), {}) as response:
                    assert response.status == 200
            finally:
                await session.close()

    asyncio.run(body())
