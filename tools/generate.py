"""Write the pages and types that are derived from declarations, or with --check tell which of them are stale."""

import argparse
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from cli_page import cli_page
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from python_types import python_types

from imageplane import settings
from imageplane.http.catalog import described
from imageplane.http.reference import values
from imageplane.http.schemas import error_classes
from imageplane.operation import Operation
from imageplane.operations import catalog

ROOT = Path(__file__).parents[1]
NOTE = "<!-- Written by `make generate` from the code; change it there. -->\n"


def pages() -> dict[Path, str]:
    """Give every derived page by its path."""
    docs = ROOT / "docs"
    openapi = described(settings.LimitSettings())
    return {
        docs / "operations.md": "\n".join(_operations()),
        docs / "errors.md": "\n".join(_errors()),
        docs / "settings.md": "\n".join(_settings()),
        docs / "cli.md": cli_page(NOTE),
        docs / "openapi.json": json.dumps(openapi, indent=2, ensure_ascii=False) + "\n",
        ROOT / "sdks" / "python" / "src" / "imageplane_client" / "types.py": python_types(openapi),
    }


def _operations() -> Iterator[str]:
    yield f"# Operations\n\n{NOTE}"
    yield "An operation is a JSON object with a `type`. A list of up to 30 is done in its order.\n"
    yield " · ".join(f"[{name}](#{name})" for name in catalog()) + "\n"
    for name, operation in catalog().items():
        yield f"## {name}\n\n{inspect.cleandoc(operation.__doc__ or '')}\n"
        yield from _fields(operation)
        yield from _examples(name, operation)


def _fields(operation: type[Operation]) -> Iterator[str]:
    schema = operation.model_json_schema(by_alias=True)
    rows = [(name, field) for name, field in operation.model_fields.items() if name != "type"]
    if not rows:
        yield "No fields.\n"
        return
    yield "| field | values | default | meaning |\n|---|---|---|---|"
    for name, field in rows:
        default = "required" if field.is_required() else f"`{json.dumps(field.get_default())}`"
        yield f"| `{name}` | {values(schema['properties'][name])} | {default} | {field.description or ''} |"
    yield ""


def _examples(name: str, operation: type[Operation]) -> Iterator[str]:
    for example in operation.examples:
        yield f"```json\n{json.dumps({'type': name, **example.fields})}\n```\n"
        golden = f"tests/operations/goldens/{name}.{example.name}.png"
        if (ROOT / golden).exists():
            before = f"![the drawing](pictures/drawings/{example.picture}.png)"
            yield f"| before | after |\n|---|---|\n| {before} | ![{name}, {example.name}](../{golden}) |\n"


def _errors() -> Iterator[str]:
    yield f"# Errors\n\n{NOTE}"
    yield "Every error has a code for programs and one sentence for people. The status is what the HTTP API answers.\n"
    yield "| code | status | worth trying again | meaning |\n|---|---|---|---|"
    for error in error_classes():
        meaning = inspect.cleandoc(error.__doc__ or "")
        yield f"| `{error.code}` | {error.status} | {'yes' if error.retryable else 'no'} | {meaning} |"
    yield ""


def _settings() -> Iterator[str]:
    yield f"# Settings\n\n{NOTE}"
    yield "Settings are environment variables. A wrong value is refused at start with its name and what is expected.\n"
    yield "| variable | values | default | meaning |\n|---|---|---|---|"
    for name, model, field_name, field in _setting_fields("IMAGEPLANE_", settings.Settings):
        schema = model.model_json_schema()["properties"][field_name]
        yield f"| `{name}` | {values(schema)} | {_setting_default(field)} | {field.description or ''} |"
    yield ""


def _setting_fields(prefix: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel], str, FieldInfo]]:
    for name, field in model.model_fields.items():
        section = field.annotation
        if inspect.isclass(section) and issubclass(section, BaseModel):
            yield from _setting_fields(f"{prefix}{name.upper()}__", section)
        else:
            yield f"{prefix}{name.upper()}", model, name, field


def _setting_default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "this machine's"
    return f"`{json.dumps(field.default)}`"


def main() -> int:
    """Write or check every page; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is stale")
    arguments = parser.parse_args()
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        print(f"{'stale' if arguments.check else 'wrote'}: {path.relative_to(ROOT)}")
        if not arguments.check:
            path.write_text(pages()[path], "utf-8")
    return 1 if stale and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
