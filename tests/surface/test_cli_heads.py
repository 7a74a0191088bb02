"""Tree heads at the command line: written out, compared, and what a person is told when they do not agree."""

import json
import shutil
from pathlib import Path

import pytest

from tests.surface.desk_folder import Folder


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path, capsys)


def test_heads_that_were_kept_elsewhere_show_that_a_backup_was_put_back(folder: Folder, tmp_path: Path) -> None:
    folder.run_id("asker", "--input", '"pay?"')
    backup, kept = tmp_path / "backup", tmp_path / "kept.heads"
    shutil.copytree(folder.store.parent, backup, ignore=shutil.ignore_patterns("backup"))
    folder.run_id("asker", "--input", '"pay more?"')
    exported = folder.kernos("heads", "export", str(kept))
    assert exported.code == 0, exported.all
    assert f"compare later: kernos verify --heads {kept}" in exported.out
    size = int(kept.read_text().splitlines()[-1].split()[0])
    clean = folder.kernos("verify", "--heads", str(kept))
    assert (clean.code, f"{kept} agrees up to size {size}" in clean.out) == (0, True), clean.all
    for part in backup.glob("*.kernos*"):
        shutil.copy(part, folder.store.parent / part.name)
    assert folder.kernos("verify").code == 0
    cut = folder.kernos("verify", "--heads", str(kept))
    assert cut.code == 1
    assert f"{kept} has a tree head of size {size}: its tail was cut, or an older backup put back" in cut.out
    assert "next: restore" in cut.out
    told = json.loads(folder.kernos("verify", "--heads", str(kept), "--json").out)
    assert (told["clean"], told["findings"][0]["kind"]) == (False, "cut")
    assert 0 < told["kept_size"] < size
    refused = folder.kernos("heads", "export", str(kept))
    assert (refused.code, "was left as it is" in refused.err) == (1, True), refused.all


def test_the_newest_head_is_one_line_for_a_mail(folder: Folder, tmp_path: Path) -> None:
    folder.run_id("asker", "--input", '"pay?"')
    every = folder.kernos("heads", "export").out.splitlines()
    printed = folder.kernos("heads", "export", "--newest").out
    assert printed.splitlines() == every[-1:]
    (tmp_path / "mail").write_text(f"\n{printed}\n")
    folder.run_id("asker", "--input", '"pay more?"')
    answered = folder.kernos("verify", "--heads", str(tmp_path / "mail"))
    assert (answered.code, "agrees up to size" in answered.out) == (0, True), answered.all
    (tmp_path / "mail").write_text(printed[:-20])
    assert "has no tree head" in folder.kernos("verify", "--heads", str(tmp_path / "mail")).err


def test_a_damaged_line_is_no_reason_to_restore_the_store(folder: Folder, tmp_path: Path) -> None:
    folder.run_id("asker", "--input", '"pay?"')
    kept = tmp_path / "kept"
    kept.write_text("greetings!\n" + folder.kernos("heads", "export").out)
    answered = folder.kernos("verify", "--heads", str(kept))
    assert answered.code == 1
    assert "kept_heads at no single position: line 1" in answered.out
    assert "next: compare with another copy" in answered.out
    text = kept.read_text().splitlines()[1]
    kept.write_text(text.replace(" ", " 9", 1))
    answered = folder.kernos("verify", "--heads", str(kept))
    assert (answered.code, "next: make sure that" in answered.out) == (1, True), answered.all
