"""Corpus: every build opens, reads, verifies and rebuilds the stores that earlier ones wrote."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.control.codec import decode_entry
from kernos.control.projections import TABLES
from kernos.control.replay import compare, rebuild
from kernos.testing.conformance.journal import unheard
from kernos.testing.storage import MemoryDisk, MemoryJournal
from kernos.vocabulary.events import KINDS
from tests.corpus.make import HERE, SteadyClock, open_key

CORPORA = sorted(folder for folder in HERE.iterdir() if (folder / "corpus.json").exists())


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda folder: folder.name)
async def test_a_kept_store_opens_reads_verifies_and_rebuilds(corpus: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(corpus, home)
    said = json.loads((corpus / "corpus.json").read_text())
    journal = SqliteJournal(home / "desk.kernos", TABLES, SteadyClock(), open_key=open_key)
    verification = await journal.verify(unheard)
    assert verification.findings == ()
    assert (verification.entries, verification.root.hex()) == (said["entries"], said["root"])
    kinds: Counter[str] = Counter()
    runs = set()
    async for _, entry in journal.scan():
        name, _ = KINDS[type(decode_entry(entry).data)]
        kinds[name] += 1
        runs.add(entry.run)
    expected: Counter[str] = Counter()
    for kind, count in said["kinds"].items():
        expected[kind.split()[0]] += count
    assert kinds == expected
    for run in runs:
        assert [entry.n for entry in await journal.read(run)] == list(range(len(await journal.read(run))))
    rebuilt = MemoryJournal(MemoryDisk(TABLES), SteadyClock())
    await rebuild(journal, rebuilt, lambda _: None)
    if not journal.projections_changed:
        assert await compare(journal, rebuilt) == []
    await rebuild(journal, journal, lambda _: None)
    assert await compare(journal, rebuilt) == []
    assert sum([len(await journal.dump(table.name)) for table in TABLES]) > 0
    await journal.close()


def test_the_newest_corpus_has_every_kind_of_today() -> None:
    said = json.loads((CORPORA[-1] / "corpus.json").read_text())
    missing = {f"{name} {version}" for name, version in KINDS.values()} - set(said["kinds"])
    assert missing == set(), "write a new corpus: python -m tests.corpus.make vN"
