"""The audit of dependencies says what it could not find out."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

FAULT = {"id": "CVE-2026-1", "fix_versions": ["2.0"]}
SOUND = {"name": "sound", "version": "1.0", "vulns": []}
FAULTY = {"name": "faulty", "version": "1.0", "vulns": [FAULT]}
MISSING = {"name": "missing", "skip_reason": "Dependency not found"}


@pytest.fixture(scope="module")
def audit(root: Path) -> ModuleType:
    spec = spec_from_file_location("audit", root / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_known_fault_fails(audit: ModuleType) -> None:
    lines, code = audit.report({"pypi": [SOUND, FAULTY], "osv": [SOUND, FAULTY]})
    assert code == 1
    assert "faulty 1.0: CVE-2026-1, mended in 2.0" in lines
    assert lines[-1] == "checked: 2 packages, 1 known faults"


def test_packages_that_no_service_knows_are_named(audit: ModuleType) -> None:
    lines, code = audit.report({"pypi": [SOUND, MISSING], "osv": "no network"})
    assert code == 0
    assert "osv: not asked: no network" in lines
    assert "not checked: missing" in lines


def test_nothing_checked_is_no_success_in_silence(audit: ModuleType) -> None:
    lines, code = audit.report({"pypi": [MISSING], "osv": "no network"})
    assert code == 0
    assert lines[-1].startswith("NOT CHECKED")


def test_what_one_service_knows_is_enough(audit: ModuleType) -> None:
    (line,), code = audit.report({"pypi": [{**SOUND, "name": "missing"}], "osv": [MISSING]})
    assert (line, code) == ("checked: 1 packages, 0 known faults", 0)


def test_a_service_that_is_not_there_is_a_reason(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit.sys, "executable", "false")
    assert audit.ask("pypi", "constraints.txt") == "no answer"
