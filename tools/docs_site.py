"""What MkDocs does beside its own work: pages and pictures from outside docs/, links that fit, a name for the search.

Pages are written to be read in the repository too, so their links are relative to it. In the site a link to what the
site has leads there; a link to any other file of the repository is only its words, because the site may stand alone.
"""

import os
import re
from functools import cache
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
# Where files from outside docs/ stand in the site.
PAGES = {
    "sdks/python/README.md": "sdks/python.md",
    "sdks/typescript/README.md": "sdks/typescript.md",
    "benchmarks/README.md": "benchmarks.md",
    "benchmarks/eval/README.md": "evaluation.md",
    "CONTRIBUTING.md": "contributing.md",
}
GOLDENS = "tests/operations/goldens"
_LINK = re.compile(r"(?P<picture>!?)\[(?P<words>[^\[\]]*)\]\((?P<target>[^()#\s:]+)(?P<anchor>#[^()\s]*)?\)")
_FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


@cache
def outside() -> dict[str, str]:
    """Give every file that the site takes from outside docs/: its place in the repository, and in the site."""
    goldens = sorted((ROOT / GOLDENS).glob("*.png"))
    return PAGES | {f"{GOLDENS}/{path.name}": f"pictures/goldens/{path.name}" for path in goldens}


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add what comes from outside docs/."""
    for place, target in outside().items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / place)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - as MkDocs calls it
    """Turn the links of a page from the repository's into the site's."""
    places = {target: place for place, target in outside().items()}
    place = places.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    parts = _FENCED.split(markdown)
    return "".join(part if index % 2 else fitted(part, place, page.file.src_uri) for index, part in enumerate(parts))


def on_post_page(output: str, *, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001 - as MkDocs calls it
    """Give the dialog of the search a name, which the theme leaves out."""
    dialog = 'data-md-component="search" role="dialog"'
    return output.replace(dialog, f'{dialog} aria-label="Search"')


def fitted(markdown: str, place: str, page: str) -> str:
    """Give the text of a page, at `place` in the repository, with links as the site's `page` needs them."""
    folder = PurePosixPath(place).parent

    def fit(link: re.Match[str]) -> str:
        meant = os.path.normpath(folder / link["target"])
        within = meant.removeprefix("docs/") if meant.startswith("docs/") else outside().get(meant)
        if within is None or not (ROOT / meant).is_file():
            return link["words"] if (ROOT / meant).exists() else link[0]
        target = os.path.relpath(within, PurePosixPath(page).parent)
        return f"{link['picture']}[{link['words']}]({target}{link['anchor'] or ''})"

    return _LINK.sub(fit, markdown)
