"""Is every reply the right picture? All are compared with each other, each different one is decoded."""

import io
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import xxhash
from PIL import Image

from benchmarks.load.asking import Wish
from benchmarks.load.patience import Outcome

# Mean difference on 32×32 pixels: two crops of one picture that lie a little apart have up to 6, two pictures from 28.
_MOST_DIFFERENCE: Final = 14.0
_GLANCE_IN_PX: Final = 32
_Subject = tuple[int, str]


@dataclass(slots=True)
class Bench:
    """Where replies are judged: those to the same wish for the same picture have to be the same picture.

    Takes: `evidence`, a folder for wrong pictures and what they should have been like.
    Gives: `wrong`, what is wrong with how many replies; `differing`, replies that are the right picture, but not the
    same bytes as most, and how far the farthest is from the others (mean difference on a scale of 255).
    """

    evidence: Path | None = None
    wrong: Counter[str] = field(default_factory=Counter)
    differing: int = 0
    farthest: float = 0.0
    _seen: dict[_Subject, Counter[bytes]] = field(default_factory=lambda: defaultdict(Counter))
    _files: dict[bytes, tuple[bytes, Wish]] = field(default_factory=dict)
    _models: dict[_Subject, bytes] = field(default_factory=dict)

    def add(self, outcome: Outcome, *, is_model: bool = False) -> None:
        """Take in a reply. Takes: `is_model`, when it was given in quiet, and the others have to be like it."""
        if outcome.picture is None:
            return
        digest = xxhash.xxh3_128_digest(outcome.picture)
        subject = (outcome.request.picture.index, outcome.request.wish.name)
        self._seen[subject][digest] += 1
        self._files.setdefault(digest, (outcome.picture, outcome.request.wish))
        if is_model:
            self._models[subject] = digest

    def judge(self) -> int:
        """Look at everything that came. Gives: how many replies were looked at."""
        owners = Counter(digest for found in self._seen.values() for digest in found)
        looks = {digest: _look(*file) for digest, file in self._files.items()}
        for subject, found in self._seen.items():
            model = self._models.get(subject) or found.most_common(1)[0][0]
            for digest, count in found.items():
                fault = self._fault(looks[digest], looks[model], is_shared=owners[digest] > 1)
                if fault is not None:
                    self.wrong[f"{subject[1]}: {fault}"] += count
                    self._keep(subject, digest, model)
                self.differing += count if digest != model else 0
        return sum(sum(found.values()) for found in self._seen.values())

    def _fault(self, look: "_Look | str", model: "_Look | str", *, is_shared: bool) -> str | None:
        if isinstance(look, str):
            return look
        if is_shared:
            return "the same bytes for two different pictures"
        difference = 0.0 if isinstance(model, str) else float(np.abs(look - model).mean())
        if difference > _MOST_DIFFERENCE:
            return "another picture than before"
        self.farthest = max(self.farthest, difference)
        return None

    def _keep(self, subject: _Subject, digest: bytes, model: bytes) -> None:
        if self.evidence is not None:
            self.evidence.mkdir(parents=True, exist_ok=True)
            for title, each in (("wrong", digest), ("right", model)):
                name = f"{subject[0]}-{subject[1]}-{title}-{each.hex()[:8]}"
                (self.evidence / name).write_bytes(self._files[each][0])


_Look = npt.NDArray[np.float32]


def _look(data: bytes, wish: Wish) -> "_Look | str":
    """Give a glance at a picture, or what is wrong with it."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            if image.get_format_mimetype() != wish.mime_type:
                return f"the format is {image.format}"
            if image.size != (wish.width_in_px, wish.height_in_px):
                return f"the size is {image.size}"
            small = image.convert("RGB").resize((_GLANCE_IN_PX, _GLANCE_IN_PX), Image.Resampling.BOX)
    except (OSError, ValueError, SyntaxError) as error:
        return f"it can't be decoded: {error}"
    return np.asarray(small, np.float32)
