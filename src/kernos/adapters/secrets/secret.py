"""Secret: a reference to a credential, read where it is needed, at each use, and kept nowhere."""

import os
from pathlib import Path

from kernos.vocabulary.contract import ToolFailed
from kernos.vocabulary.errors import BadConfiguration
from kernos.vocabulary.secret import HINT, READING, parts_of

_FOR_OTHERS = 0o077
_BYTES_MAX = 65_536


class Secret:
    """A credential by its place: `Secret("env:SHOP_TOKEN")`, `Secret("file:~/.shop/token")`, `Secret("keyring:shop/api")`.

    Give `secret.read` to whatever asks at each call: `HttpService(url, headers=lambda: {"Authorization": f"Bearer {token.read()}"})`. So a changed
    secret counts at once, and none stands in settings, logs or the journal. A tool reads only what it declares: `@tool(secrets=["env:SHOP_TOKEN"])`.
    """

    def __init__(self, reference: str) -> None:
        """Take the reference; nothing is read. Raises BadConfiguration for what is none, without quoting it."""
        try:
            self._kind, self._place = parts_of(reference)
        except ValueError as error:
            raise BadConfiguration(str(error), hint=HINT) from None
        self.reference = reference

    def __repr__(self) -> str:
        """Show the reference."""
        return f"Secret({self.reference!r})"

    def read(self) -> str:
        """Return the secret as it is now. Raises ToolFailed (FINAL, nothing was sent) when it is not there, or may not be read here."""
        reading = READING.get()
        if reading is not None and reading.allowed is not None and self.reference not in reading.allowed:
            message = f"{reading.who} does not declare the secret {self.reference}, and reads none but its own"
            raise ToolFailed.final(message)
        value, trouble = self._found()
        if trouble:
            raise ToolFailed.final(f"nothing was sent: {trouble}")
        if reading is not None:
            reading.values[value] = self.reference
        return value

    def trouble(self) -> str:
        """Return why it cannot be read now, and what to do; empty where it can."""
        return self._found()[1]

    def _found(self) -> tuple[str, str]:
        value, trouble = {"env": self._from_environment, "file": self._from_file, "keyring": self._from_keyring}[
            self._kind
        ]()
        if not value and not trouble:
            trouble = f"the secret {self.reference} is empty; fill it"
        return value, trouble

    def _from_environment(self) -> tuple[str, str]:
        value = os.environ.get(self._place, "")
        return (
            value,
            "" if value else f"the secret {self.reference} is missing; set the environment variable {self._place}",
        )

    def _from_file(self) -> tuple[str, str]:
        path = Path(self._place).expanduser()
        try:
            with path.open(
                "rb"
            ) as file:  # What is looked at is what is read, also if the name is given to another file meanwhile.
                stat, raw = os.fstat(file.fileno()), file.read(_BYTES_MAX + 1)
            mode = stat.st_mode & 0o777
            if mode & _FOR_OTHERS:
                trouble = f"others may read or change {path} (mode {mode:o}); change the secret, then: chmod 600 {path}"
                return "", trouble
            if stat.st_uid not in (os.geteuid(), 0):
                return "", f"{path} belongs to another user, who may change it; copy it to a file of your own"
            if len(raw) > _BYTES_MAX:
                return "", f"{path} is longer than any secret ({_BYTES_MAX} bytes); name another file"
            return raw.decode().rstrip("\r\n"), ""
        except OSError as error:
            return "", f"the secret file {path} could not be read: {error.strerror}"
        except UnicodeDecodeError:
            return "", f"the secret file {path} is no text; name another file"

    def _from_keyring(self) -> tuple[str, str]:
        service, _, name = self._place.partition("/")
        try:
            import keyring
            import keyring.errors
        except ImportError:
            return "", "the package keyring is not installed; install kernos[keyring]"
        try:
            value = keyring.get_password(service, name)
        except keyring.errors.KeyringError as error:
            return "", f"the keyring could not be asked for {self.reference}: {error or type(error).__name__}"
        return (
            value or "",
            "" if value else f"the keyring has no {self.reference}; add it: keyring set {service} {name}",
        )
