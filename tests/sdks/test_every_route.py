"""Every route of the server that is for programs of customers, and the methods of both clients for it."""

import json
from typing import Final

from calls import METHODS
from imageplane_client import Imageplane
from typescript import OPENAPI, Package, camel_case

# For operators, for browsers, and for those who write clients.
_FOR_OTHERS: Final = {"GET /health/live", "GET /health/ready", "GET /metrics", "GET /openapi.json", "GET /docs"}
_OF_TRANSFORM: Final = {"transform", "transform_to_bytes", "submit"}


def test_each_is_asked_by_a_method() -> None:
    paths = json.loads(OPENAPI.read_text("utf-8"))["paths"]
    routes = {f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in verbs}
    assert routes - _FOR_OTHERS - {"POST /image-transformation/v1/transform"} == METHODS.keys()


def test_python_has_these_methods_and_no_others() -> None:
    found = {name for name in vars(Imageplane) if not name.startswith("_")}
    assert found - {"wait", "close"} == _OF_TRANSFORM | set(METHODS.values())


def test_typescript_has_these_methods_and_no_others(typescript_package: Package) -> None:
    program = 'import { Imageplane } from "imageplane-client"; console.log(...Reflect.ownKeys(Imageplane.prototype))'
    found = set(typescript_package.checked("node", "--input-type=module", "-e", program).split())
    assert found - {"wait", "constructor"} == {camel_case(name) for name in _OF_TRANSFORM | set(METHODS.values())}
