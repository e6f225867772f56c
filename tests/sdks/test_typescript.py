"""The TypeScript client: its types, its builds, its own tests, its README, and the guides that use it."""

import base64
import json
import tarfile
import time
from pathlib import Path

import pytest
from aiohttp import web
from picture_server import PICTURES
from PIL import Image
from readme import Readme
from receivers import Receiver, beside, one_after_the_other
from server import Server
from typescript import OPENAPI, PACKAGE, Package, examples

from imageplane.jobs.webhook import new_secret

GUIDES = PACKAGE.parents[1] / "docs"


def test_the_types_are_as_the_server_says(typescript_package: Package, tmp_path: Path) -> None:
    typescript_package.checked("node", "generate.js", str(OPENAPI), str(tmp_path / "types.ts"))
    fresh, kept = (path.read_text("utf-8") for path in (tmp_path / "types.ts", PACKAGE / "src" / "types.ts"))
    assert fresh == kept, "run `npm run generate` in sdks/typescript"


def test_its_own_tests_pass(typescript_package: Package) -> None:
    typescript_package.checked("node", "--test", "tests/")


def test_it_needs_no_other_package_and_names_no_registry() -> None:
    manifest, lock = (json.loads((PACKAGE / name).read_text("utf-8")) for name in ("package.json", "package-lock.json"))
    assert not {"dependencies", "peerDependencies", "optionalDependencies"} & set(manifest)
    assert lock["packages"][""]["devDependencies"] == manifest["devDependencies"]
    for name, found in lock["packages"].items():
        assert "resolved" not in found, name
        assert not name or "integrity" in found, name


ESM = """
import { Imageplane, type PictureReply } from "imageplane-client";
import { fromPath } from "imageplane-client/node";
const client = new Imageplane({ apiKey: "ip_live_1" });
export const one: Promise<PictureReply> = fromPath("a.jpg").then((file) => client.transform({ file, operations: [] }));
export const name: string = "outputs" in (await client.result("J")).data ? "several" : "one";
// @ts-expect-error There is no such operation.
void client.transform({ file: { url: "https://a.example/1.jpg" }, operations: [{ type: "blurr", sigma: 1 }] });
// @ts-expect-error One picture has no outputs.
void one.then((reply) => reply.data.outputs);
"""
CJS = """
import imageplane = require("imageplane-client");
import node = require("imageplane-client/node");
export const client: imageplane.Imageplane = new imageplane.Imageplane({ apiKey: "ip_live_1" });
export const file: Promise<imageplane.Upload> = node.fromPath("a.jpg");
// @ts-expect-error A transform is not answered later.
void client.transform({ file: { url: "https://a.example/1.jpg" }, operations: [], webhook_url: "https://a.example/" });
"""


LOADS = {
    "module": "import * as web from 'imageplane-client'; import * as node from 'imageplane-client/node';",
    "commonjs": "const web = require('imageplane-client'), node = require('imageplane-client/node');",
}


def test_a_project_that_installs_it_has_both_builds_with_types(typescript_package: Package, tmp_path: Path) -> None:
    pack = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(tmp_path)]
    packed = typescript_package.checked(*pack).split()[-1]
    with tarfile.open(tmp_path / packed) as archive:
        assert {name.split("/")[1] for name in archive.getnames()} == {"LICENSE", "README.md", "dist", "package.json"}
    (tmp_path / "package.json").write_text('{"private": true}')
    typescript_package.checked("npm", "install", "--offline", "--no-audit", "--no-fund", packed, cwd=tmp_path)
    (tmp_path / "esm.mts").write_text(ESM)
    (tmp_path / "cjs.cts").write_text(CJS)
    check = ["tsc", "--strict", "--module", "Node16", "--target", "ES2022", "--noEmit"]
    typescript_package.checked(*check, "esm.mts", "cjs.cts", cwd=tmp_path)
    for kind, load in LOADS.items():
        program = f"{load} console.log(typeof web.Imageplane, typeof node.fromPath);"
        said = typescript_package.checked("node", f"--input-type={kind}", "-e", program, cwd=tmp_path)
        assert "function function" in said


def test_three_sizes_at_once(readme: Readme) -> None:
    lengths = [int(word) for word in readme.run("Promise.all").split()]
    assert len(lengths) == 3
    assert all(length > 0 and length % 4 == 0 for length in lengths), "padded base64"


def test_bytes_of_a_file_of_a_disk(readme: Readme) -> None:
    readme.run("fromPath(")
    assert readme.picture("avatar.jpg") == ("JPEG", (200, 200))


def test_several_outputs(readme: Readme) -> None:
    readme.run("outputs:")
    assert readme.picture("avatar.jpg") == ("JPEG", (200, 200))
    assert readme.picture("card.jpg") == ("JPEG", (800, 600))


def test_a_page(readme: Readme) -> None:
    use = """
        import { readFileSync } from "node:fs";
        const image = {};
        await it.show({ files: [new File([readFileSync("upload.jpg")], "upload.jpg")] }, image);
        console.log(image.src);
    """
    assert readme.use("HTMLInputElement", use).startswith("blob:")


def test_a_job(readme: Readme) -> None:
    assert int(readme.run("JobFailedError")) > 0


def test_errors(readme: Readme) -> None:
    said = readme.run("RateLimitError")
    assert "400 invalid_request req_" in said
    assert "operations[0].sigma" in said


def test_time(readme: Readme) -> None:
    assert readme.run("idempotencyKey") == ""


def test_a_webhook(readme: Readme, open_server: Server) -> None:
    secrets = [each["secret"] for each in open_server.get("/v1/webhooks/secrets").json["data"]["secrets"]]
    with beside(Receiver()) as receiver:
        file = {"base64": base64.b64encode(PICTURES["photo.png"]).decode()}
        open_server.post({"file": file, "operations": [], "webhook_url": receiver.url()})
        (message,) = receiver.waited_for("/hook")
    use = """
        const { headers, body } = JSON.parse(process.env.MESSAGE);
        const request = (body) => new Request("https://a.example/", { method: "POST", headers, body });
        const replies = [await it.POST(request(body)), await it.POST(request(body + " "))];
        console.log(...replies.map(({ status }) => status));
    """
    sent = json.dumps({"headers": message.headers, "body": message.body.decode()})
    said = readme.use("verifyWebhook", use, MESSAGE=sent, IMAGEPLANE_WEBHOOK_SECRETS=" ".join([new_secret(), *secrets]))
    assert said.splitlines() == [f"finished {message.headers['x-job-id']}", "204 400"]


def test_webhooks_that_were_not_taken(readme: Readme, open_server: Server) -> None:
    # What is gone is not tried again by itself.
    answer = one_after_the_other(web.Response(status=410), web.Response())
    with beside(Receiver(answer)) as receiver:
        file = {"base64": base64.b64encode(PICTURES["photo.png"]).decode()}
        reply = open_server.post({"file": file, "operations": [], "webhook_url": receiver.url()})
        path, give_up_at = f"/v1/jobs/{reply.json['job_id']}/deliveries", time.monotonic() + 60
        while [each["status"] for each in open_server.get(path).json["data"]["deliveries"]] != ["failed"]:
            assert time.monotonic() < give_up_at
            time.sleep(0.05)
        readme.run("redeliver(")
        first, again = receiver.waited_for("/hook", 2)
    assert first.id == again.id


@pytest.mark.usefixtures("uploads")
def test_a_bulk(readme: Readme) -> None:
    assert readme.run("submitBulk(").startswith("people/nobody unreachable_source ")
    assert readme.picture("thumbnails/people/anna.webp") == ("WEBP", (200, 200))


def test_programs_of_the_guides(typescript_package: Package, open_server: Server, tmp_path: Path) -> None:
    programs = [text for guide in sorted(GUIDES.rglob("*.md")) for text in examples(guide)]
    assert programs
    paths = typescript_package.compiled("guides", programs)
    (tmp_path / "upload.jpg").write_bytes(PICTURES["photo.jpg"])
    environment = {"IMAGEPLANE_KEY": open_server.key, "IMAGEPLANE_BASE_URL": open_server.url}
    for path in paths:
        typescript_package.checked("node", str(path), cwd=tmp_path, environment=environment)
        with Image.open(tmp_path / "avatar.webp") as image:
            assert (image.format, image.size) == ("WEBP", (200, 200))
        (tmp_path / "avatar.webp").unlink()


def test_every_program_of_the_readme_is_run() -> None:
    markers = ["Promise.all", "fromPath(", "outputs:", "HTMLInputElement", "JobFailedError", "RateLimitError"]
    markers += ["idempotencyKey", "verifyWebhook", "redeliver(", "submitBulk("]
    assert [sum(marker in text for marker in markers) for text in examples()] == [1] * len(markers)
