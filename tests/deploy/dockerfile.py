"""The Dockerfile as a list of instructions."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Instruction:
    """One instruction, of the stage with this number, the first being 0; before it there are only arguments."""

    stage: int
    word: str
    text: str

    @property
    def list(self) -> Any:
        """The text as JSON: the exec form."""
        return json.loads(self.text)


def instructions() -> list[Instruction]:
    """Read the Dockerfile."""
    lines = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    found, stage = [], -1
    for line in lines.replace("\\\n", " ").splitlines():
        word, _, text = line.strip().partition(" ")
        if word:
            stage += word == "FROM"
            found.append(Instruction(stage, word, " ".join(text.split())))
    return found


def of(word: str, stage: int | None = None) -> list[Instruction]:
    """Give the instructions with this word, of one stage or of all."""
    return [each for each in instructions() if each.word == word and stage in (None, each.stage)]


def copied() -> list[str]:
    """Give what the image is built of: the files and folders that are copied from the repository."""
    texts = [each.text for each in of("COPY") if "--from" not in each.text]
    return [source for text in texts for source in text.split()[:-1]]
