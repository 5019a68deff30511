"""The package is what Azure runs: built here, unpacked, and the main road run from it on its own packages alone."""

import ast
import csv
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from sandbox.process import ROOT
from sandbox.running import Hub
from shared.release import FILE
from tools.package import app_files, archive, build, bytecode, dependencies, lock, proof, release
from tools.package.build import Built
from tools.package.proof import Unpacked
from tools.package.target import LEFT_OUT, SITE_PACKAGES, CannotPackage


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The package of this checkout."""
    return build.build(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def laid(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Unpacked:
    """It, unpacked."""
    return proof.unpacked(built.path, tmp_path_factory.mktemp("laid"))


@pytest.fixture(scope="module")
async def hub(laid: Unpacked, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    """A hub whose app runs from it."""
    async with proof.hub_from(laid, tmp_path_factory.mktemp("hub")) as running:
        yield running


def test_a_second_build_is_the_same_bytes(built: Built, tmp_path: Path) -> None:
    assert build.build(tmp_path).sha256 == built.sha256 == hashlib.sha256(built.path.read_bytes()).hexdigest()
    for name in (build.BILL, build.LICENCES, build.DIGEST):
        assert (tmp_path / name).read_bytes() == (built.path.parent / name).read_bytes()


def test_nothing_in_it_tells_of_the_machine_that_built_it(built: Built) -> None:
    """Two checkouts of one commit, in two folders, would else be two packages."""
    here = [str(each).encode() for each in (ROOT, Path(sys.prefix), Path(sys.base_prefix))]
    with zipfile.ZipFile(built.path) as whole:
        names = set(whole.namelist())
        assert [name for name in names if any(each in whole.read(name) for each in here)] == []
        # The hash of a file that names a folder tells of it too: none is listed that is not in the package.
        records = [name for name in names if name.endswith(".dist-info/RECORD")]
        assert len(records) == len(dependencies.shipped(lock.read()))
        for record in records:
            rows = csv.reader(io.StringIO(whole.read(record).decode(), newline=""))
            assert [row[0] for row in rows if f"{SITE_PACKAGES}/{row[0]}" not in names] == []


def test_the_zip_holds_the_app_and_its_packages_and_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built.path) as whole:
        names = whole.namelist()
        own = {name for name in names if not name.startswith(SITE_PACKAGES) and not name.endswith(".pyc")}
        assert own == {path.as_posix() for path in app_files.own_files()} | {FILE}
        assert json.loads(whole.read(FILE)) == {"release": built.release}
        assert sorted(name for name in own - {FILE} if (ROOT / name).read_bytes() != whole.read(name)) == []
    packages = {
        name.removeprefix(f"{SITE_PACKAGES}/").split("/")[0] for name in names if name.startswith(SITE_PACKAGES)
    }
    infos = {each.removesuffix(".dist-info").rsplit("-", 1)[0] for each in packages if each.endswith(".dist-info")}
    assert {lock.normalised(each) for each in infos} == {pin.name for pin in dependencies.shipped(lock.read())}
    assert packages.isdisjoint({"bin", "fhir", "pytest", "tests", "sandbox", *LEFT_OUT})
    # Without them OpenTelemetry cannot be imported (azure-functions-core-tools, issue 4852).
    assert any(name.endswith("entry_points.txt") and "opentelemetry_api" in name for name in names)


def test_every_module_is_compiled_once_for_all_instances(built: Built) -> None:
    with zipfile.ZipFile(built.path) as whole:
        names = set(whole.namelist())
        modules = {name for name in names if name.endswith(".py")}
        compiled = {name for name in names if name.endswith(".pyc")}
        assert len(modules) == len(compiled) > 1000
        # PEP 552: by the source's hash (bit 0), and not checked against it (bit 1 unset).
        assert {whole.read(name)[4:8] for name in compiled} == {b"\x01\x00\x00\x00"}


def test_a_module_that_cannot_be_compiled_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def", encoding="utf-8")
    with pytest.raises(CannotPackage, match="broken"):
        bytecode.compile_all(tmp_path)


def test_a_file_with_another_hash_is_not_installed(tmp_path: Path) -> None:
    pin = next(pin for pin in lock.read() if pin.name == "idna")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = next(dependencies.WHEELS.glob(f"idna-{pin.version}-*.whl"))
    (wheels / wheel.name).write_bytes(wheel.read_bytes() + b"more")
    other = hashlib.sha256(b"another file").hexdigest()
    with pytest.raises(CannotPackage, match="pip"):
        dependencies.install([lock.Pin(pin.name, pin.version, other)], tmp_path / "into", wheels)


def test_microsofts_worker_finds_the_functions_and_loads_only_what_every_start_needs(laid: Unpacked) -> None:
    found = proof.indexed(laid)
    assert {"ingest", "fan_out", "deliver", "orphan_check", "health"} <= set(found.functions)
    # Each is needed by some timer or some setting alone, and costs every instance's start a twentieth or more.
    late = ("azure.keyvault", "azure.monitor", "azure.storage", "fhir", "opentelemetry.exporter")
    assert sorted(name for name in found.modules if name.startswith(late)) == []
    # Of what is loaded, all but these wait until the host has been told of the functions.
    after = ("aiohttp", "azure.core", "azure.cosmos", "azure.servicebus", "shared.api", "shared.journal", "shared.road")
    assert sorted(name for name in found.first if name.startswith(after)) == []
    assert {*after} <= found.modules


def test_identity_and_telemetry_are_loaded_before_the_first_call_where_they_are_set(laid: Unpacked) -> None:
    found = proof.indexed(laid, proof.AS_IN_AZURE)
    wanted = {"azure.identity.aio", "opentelemetry.sdk.trace"}
    assert wanted <= found.modules
    assert wanted.isdisjoint(found.first)


def test_what_doors_import_where_they_use_it_is_loaded_before_the_first_call(laid: Unpacked) -> None:
    late = {name for path in (ROOT / "functions").glob("*.py") for name in _imported_late(path)}
    assert {"functions.taking", "shared.road.hub"} <= late
    assert late <= proof.indexed(laid, proof.AS_IN_AZURE).modules


def test_a_package_that_lacks_a_module_is_found_out(laid: Unpacked) -> None:
    there = laid.package / SITE_PACKAGES / "yarl"
    gone = there.rename(there.with_name("gone"))
    try:
        with pytest.raises(CannotPackage, match="yarl"):
            proof.indexed(laid)
    finally:
        gone.rename(there)


async def test_a_hub_started_from_the_package_says_which_release_it_is(built: Built, hub: Hub) -> None:
    assert built.release == release.of()
    await proof.answers(hub, built.release)
    with pytest.raises(CannotPackage, match="the package is another"):
        await proof.answers(hub, "another")


async def test_a_hub_started_from_the_package_takes_an_event_to_the_journal(laid: Unpacked, hub: Hub) -> None:
    assert await proof.delivers(hub) in ("delivered", "journaled")
    # Both processes of the app, and nothing of the virtual environment in either.
    for mapped in map(_mapped, (hub.pids["app"], hub.pids["queues"])):
        assert str(laid.package / SITE_PACKAGES / "pydantic_core") in mapped
        assert "/.venv/" not in mapped


def test_the_bill_of_materials_is_valid_and_names_every_package(built: Built) -> None:
    text = (built.path.parent / build.BILL).read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    assert {(each["name"], each["version"], each["hashes"][0]["content"]) for each in bill["components"]} == {
        (pin.name, pin.version, pin.sha256) for pin in dependencies.shipped(lock.read())
    }
    assert all(each["licenses"] for each in bill["components"])
    archived = archive.content_digest(built.path)
    assert built.content == archived


def _imported_late(path: Path) -> Iterator[str]:
    """The modules that a file's functions import when they are called."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom) and node.module:
                    inside = ROOT / Path(*node.module.split("."))
                    yield from (f"{node.module}.{each.name}" if inside.is_dir() else node.module for each in node.names)


def _mapped(pid: int) -> str:
    """The files a process has taken into its memory."""
    return Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
