"""The inventory is of what is really installed, and larger than a row."""

from importlib.metadata import version
from typing import Any

from remit.artifacts.store import CONTENT_THRESHOLD_BYTES
from remit.base.canonical import canonical_json
from remit.tour.inventory import MAX_FILES, InventoryModule
from tests.support.modules import Recorder, asking


def test_it_lists_every_package_with_its_files_and_their_digests() -> None:
    recorder, nothing = Recorder(), None
    engine: Any = nothing
    output = InventoryModule().execute(asking("inventory", {}), engine, recorder)
    [(kind, evidence)] = recorder.emitted
    assert kind == "module_output"
    assert len(canonical_json(evidence)) > CONTENT_THRESHOLD_BYTES
    packages: Any = evidence["packages"]
    found = {each["name"].lower(): each for each in packages}
    assert found["sqlalchemy"]["version"] == version("sqlalchemy")
    assert any(file.endswith(" sqlalchemy/__init__.py") for file in found["sqlalchemy"]["files"])
    assert len(found["sqlalchemy"]["files"]) == MAX_FILES < found["sqlalchemy"]["file_count"]
    assert all(file.startswith("sha256:") for file in found["sqlalchemy"]["files"])
    assert output.result is not None
    assert output.result["packages"] == len(packages)
    assert output.result["files"] == sum(each["file_count"] for each in packages)
