"""The README of the TypeScript client, program by program."""

from pathlib import Path
from typing import Final

from picture_server import PICTURES, PictureServer
from PIL import Image
from server import Server
from typescript import Package, examples

_PHOTO: Final = "https://cdn.example.com/photo.jpg"
_MANIFEST: Final = "https://cdn.example.com/uploads.jsonl"
_PAGE: Final = '"added by our server", baseUrl: "/images"'


class Readme:
    """The programs of the README, run in a folder of their own against a server that fetches from here."""

    def __init__(self, package: Package, server: Server, pictures: PictureServer, folder: Path) -> None:
        self._package = package
        self._folder = folder
        self._environment = {"IMAGEPLANE_KEY": server.key, "IMAGEPLANE_BASE_URL": server.url}
        self._replaced = {_PHOTO: f"{pictures.url}/photo.jpg", _PAGE: f'"{server.key}", baseUrl: "{server.url}"'}
        self._replaced[_MANIFEST] = f"{pictures.url}/uploads.jsonl"
        (folder / "upload.jpg").write_bytes(PICTURES["photo.jpg"])

    def run(self, marker: str, *runtime: str) -> str:
        """Run the program that has these words, with Node unless told otherwise, and give what it says."""
        command = [*(runtime or ("node",)), str(self._program(marker))]
        return self._package.checked(*command, cwd=self._folder, environment=self._environment)

    def use(self, marker: str, use: str, **environment: str) -> str:
        """Run a program that uses what the program with these words exports, as `it`."""
        program = f'import * as it from "{self._program(marker).as_uri()}"; {use}'
        wanted = {**self._environment, **environment}
        return self._package.checked("node", "--input-type=module", "-e", program, cwd=self._folder, environment=wanted)

    def picture(self, name: str) -> tuple[str | None, tuple[int, int]]:
        with Image.open(self._folder / name) as image:
            return image.format, image.size

    def _program(self, marker: str) -> Path:
        (number,) = [number for number, text in enumerate(examples()) if marker in text]
        return self._package.example(number, self._replaced)
