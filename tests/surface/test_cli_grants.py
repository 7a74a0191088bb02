"""`kernos grant`: sources that may speak for the principal are added, listed and revoked, and the journal says by whom."""

from pathlib import Path

import pytest

from tests.surface.desk_folder import Folder


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path, capsys)


def test_a_grant_is_given_listed_and_revoked(folder: Folder) -> None:
    given = folder.kernos(
        "grant", "add", "mail.read", "sender=boss@firm.example", "--for", "mail.send", "--role", "destination"
    )
    assert given.code == 0, given.all
    name = given.out.split()[1].rstrip(":")
    listed = folder.kernos("grant", "list").out
    assert name in listed and "sender = boss@firm.example" in listed and "mail.send" in listed
    assert name in folder.kernos("grant", "list", "--json").out
    assert folder.kernos("grant", "revoke", name, "--reason", "he left").code == 0
    assert name not in folder.kernos("grant", "list").out


def test_what_is_no_grant_is_refused_with_what_to_write_instead(folder: Folder) -> None:
    for words, said in (
        (("mail.read", "sender", "--for", "mail.send"), "Write it as FIELD=VALUE"),
        (("mail.read", "sender=x@y.example", "--for", "mail.send", "--role", "boss"), "There are: destination"),
        (("mail.read", "sender=x@y.example", "--for", "mail.send", "--by", "service:web"), "only a person"),
    ):
        answered = folder.kernos("grant", "add", *words)
        assert answered.code == 1
        assert said in answered.err
    assert "kernos grant list" in folder.kernos("grant", "revoke", "abc").err
