"""The Python client and a running server: every line of its README and of the guides, jobs and webhooks."""

import asyncio
import base64
import io
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pictures as drawn
import pytest
from imageplane_client import (
    AsyncImageplane,
    Imageplane,
    JobFailedError,
    NotFoundError,
    from_bytes,
    from_url,
    verify_webhook,
)
from picture_server import PICTURES, PictureServer
from PIL import Image
from receivers import Receiver, beside
from server import Server

from imageplane.jobs.webhook import headers_of, new_secret

PACKAGE = Path(__file__).parents[2] / "sdks" / "python"
README = (PACKAGE / "README.md").read_text("utf-8")
GUIDES = sorted((PACKAGE.parents[1] / "docs").rglob("*.md"))
BLOCKS = [
    code
    for text in (README, *(guide.read_text("utf-8") for guide in GUIDES))
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    if "client" in code
]
SIZES = {"avatar": (200, 200), "card": (800, 600), "social": (1200, 630)}
SECRET = new_secret()
# With --strict a comment that forgives nothing is a mistake as well.
MISTAKES = """\
from imageplane_client import Imageplane, from_bytes

client = Imageplane()
reply = client.transform({"file": from_bytes(b""), "operations": [{"type": "blur", "sigma": 1}]})
number: int = reply["data"]["width_in_px"]
client.transform({"file": from_bytes(b""), "operations": [{"type": "blurr"}]})  # type: ignore[call-overload]
client.transform({"file": from_bytes(b""), "operations": [{"type": "crop", "width": 7}]})  # type: ignore[call-overload]
text: int = reply["data"]["buffer"]  # type: ignore[assignment]
client.job("01A", idempotency_key="x")  # type: ignore[call-arg]
"""


@pytest.fixture
def client(open_server: Server) -> Iterator[Imageplane]:
    with Imageplane(open_server.key, base_url=open_server.url) as client:
        yield client


def size_of(picture: bytes) -> tuple[str | None, tuple[int, int]]:
    with Image.open(io.BytesIO(picture)) as image:
        return image.format, image.size


def test_three_sizes_at_once(open_server: Server, pictures: PictureServer) -> None:
    async def make(client: AsyncImageplane, width: int, height: int) -> str:
        reply = await client.transform({
            "file": {"type": "url", "name": "photo.jpg", "url": f"{pictures.url}/photo.jpg"},
            "operations": [
                {"type": "smart_crop", "width_in_px": width, "height_in_px": height},
                {"type": "sharpen", "sigma": 0.5},
                {"type": "convert", "format": "webp", "quality": 85},
            ],
        })  # fmt: skip
        return reply["data"]["buffer"]

    async def main() -> list[str]:
        async with AsyncImageplane(open_server.key, base_url=open_server.url) as client:
            return await asyncio.gather(*(make(client, *size) for size in SIZES.values()))

    found = [size_of(base64.b64decode(buffer, validate=True)) for buffer in asyncio.run(main())]
    assert found == [("WEBP", size) for size in SIZES.values()]


def test_a_form_gives_what_base64_gives(client: Imageplane) -> None:
    data = PICTURES["photo.jpg"]
    operations: Any = [{"type": "flip"}]
    form = client.transform({"file": from_bytes(data), "operations": operations})
    text = client.transform({"file": {"base64": base64.b64encode(data).decode()}, "operations": operations})
    assert form["data"] == text["data"]
    assert form["metadata"].keys() == text["metadata"].keys()
    raw = client.transform_to_bytes({"file": from_bytes(data), "operations": operations})
    assert raw == base64.b64decode(form["data"]["buffer"])


def test_a_job_from_hand_in_to_picture(client: Imageplane) -> None:
    request: Any = {"file": from_bytes(PICTURES["photo.png"]), "outputs": [{"name": "a", "operations": []}]}
    accepted = client.submit(request, idempotency_key=(key := os.urandom(8).hex()))
    assert client.submit(request, idempotency_key=key) == accepted
    job_id = accepted["job_id"]
    assert client.wait(job_id)["data"]["result_url"]
    picture = client.output(job_id, "a")
    assert size_of(picture) == ("PNG", (24, 16))
    reply: Any = client.result(job_id)
    assert base64.b64decode(reply["data"]["outputs"][0]["buffer"]) == picture
    assert job_id in [job["id"] for job in client.jobs(status="succeeded", limit=100)["data"]["jobs"]]
    assert client.replay(job_id)["data"]["id"] == job_id
    assert client.wait(job_id)["data"]["status"] == "succeeded"
    with pytest.raises(NotFoundError):
        client.output(job_id, "no such output")


def test_a_job_that_fails(client: Imageplane) -> None:
    accepted = client.submit({"file": from_bytes(PICTURES["broken.png"]), "operations": []})
    with pytest.raises(JobFailedError) as caught:
        client.wait(accepted["job_id"])
    assert caught.value.code == "undecodable_image"
    assert caught.value.job["id"] == accepted["job_id"]


def test_a_job_is_cancelled_while_its_source_is_slow(client: Imageplane, pictures: PictureServer) -> None:
    job_id = client.submit({"file": from_url(f"{pictures.url}/slow/photo.png"), "operations": []})["job_id"]
    assert client.cancel(job_id)["data"]["status"] == "cancelled"
    with pytest.raises(JobFailedError, match="cancelled"):
        client.wait(job_id)


def test_a_webhook_of_the_server_is_believed(client: Imageplane) -> None:
    with beside(Receiver()) as receiver:
        client.submit(
            {"file": from_bytes(PICTURES["photo.png"]), "operations": [], "webhook_url": receiver.url("/python")}
        )
        (message,) = receiver.waited_for("/python")
    secrets = [each["secret"] for each in client.webhook_secrets()["data"]["secrets"]]
    webhook = verify_webhook(message.body, message.headers, secrets)
    assert (webhook["success"], webhook["api"]) == (True, "image_transformation")
    assert size_of(base64.b64decode(webhook["data"]["buffer"])) == ("PNG", (24, 16))


def test_a_webhook_is_sent_again(client: Imageplane) -> None:
    with beside(Receiver()) as receiver:
        job_id = client.submit(
            {"file": from_bytes(PICTURES["photo.png"]), "operations": [], "webhook_url": receiver.url("/again")}
        )["job_id"]
        (first,) = receiver.waited_for("/again")
        (delivery,) = client.deliveries(job_id)["data"]["deliveries"]
        assert (delivery["id"], delivery["job_id"]) == (first.id, job_id)
        give_up_at = time.monotonic() + 60
        while client.deliveries(job_id)["data"]["deliveries"][0]["status"] != "delivered":
            # What is being sent right now is not sent again.
            assert time.monotonic() < give_up_at
            time.sleep(0.05)
        assert client.redeliver(first.id)["data"]["id"] == first.id
        assert [message.id for message in receiver.waited_for("/again", 2)] == [first.id] * 2


@pytest.mark.usefixtures("uploads")
@pytest.mark.parametrize("code", BLOCKS)
def test_code_of_the_readme_and_the_guides_runs(
    code: str, open_server: Server, pictures: PictureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(drawn.photo(1203, 877)).save(tmp_path / "upload.jpg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMAGEPLANE_KEY", open_server.key)
    monkeypatch.setenv("IMAGEPLANE_BASE_URL", open_server.url)
    monkeypatch.setenv("IMAGEPLANE_WEBHOOK_SECRET", SECRET)
    names: dict[str, Any] = {}
    exec(compile(code.replace("https://cdn.example.com", pictures.url), "README.md", "exec"), names)  # noqa: S102 - our own
    for made in tmp_path.glob("avatar.*"):
        assert size_of(made.read_bytes()) == ("WEBP", (200, 200))
    if "submit_bulk" in code:
        assert (names["failure"]["name"], names["failure"]["line"]) == ("people/nobody", 2)
        (made,) = (path for path in (tmp_path / "thumbnails").rglob("*") if path.is_file())
        assert (made.parts[-2:], size_of(made.read_bytes())) == (("people", "anna.webp"), ("WEBP", (200, 200)))
    if "receive" in names:
        body = b'{"success": true, "api": "image_transformation"}'
        headers = headers_of("msg_1", int(time.time()), body, [SECRET])
        assert [names["receive"](body, headers), names["receive"](body + b" ", headers)] == [200, 400]


def test_types_help_and_code_of_the_readme_and_the_guides_has_them(tmp_path: Path) -> None:
    # The vendor's client brings no types.
    ours = [code for code in BLOCKS if "iterationlayer" not in code]
    for number, code in enumerate([*ours, MISTAKES]):
        (tmp_path / f"program_{number}.py").write_text(code)
    environment = {**os.environ, "MYPYPATH": str(PACKAGE / "src")}
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "."]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_package_can_be_built(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=PACKAGE, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("imageplane_client-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    sources = {path.name for path in (PACKAGE / "src" / "imageplane_client").iterdir() if path.is_file()}
    assert {f"imageplane_client/{name}" for name in sources} <= set(names)
    assert {"imageplane_client/py.typed", *(name for name in names if name.endswith("licenses/LICENSE"))} <= set(names)
