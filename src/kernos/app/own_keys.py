"""Own keys: a person's key in a file of theirs, which never goes near a store; the store is told its public half (`Access.add_key`)."""

import os
from pathlib import Path

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.joserfc.tokens import OwnKey
from kernos.vocabulary.errors import BadConfiguration

_FOR_OTHERS = 0o077


def new_own_key(path: Path) -> str:
    """Make a key, mode 0600; return its public half as a JSON Web Key. Raises BadConfiguration when there is a file already."""
    signer, text = FileSigner.new()
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        message = f"no key was made: {path} could not be written: {error.strerror}"
        raise BadConfiguration(message, hint="Name a file that does not exist yet, in a folder of yours.") from error
    with os.fdopen(file, "wb") as made:
        made.write(text)
        made.flush()
        os.fsync(file)
    return OwnKey(signer.private_key()).public_jwk()


def open_own_key(path: Path) -> OwnKey:
    """Return the key in a file; its `sign` is for `Kernel.approve`. Raises BadConfiguration, also when others may read the file."""
    hint = "Make a key of your own with `kernos key new --file FILE`."
    try:
        mode = path.stat().st_mode
        signer = FileSigner.open(path)
    except OSError as error:
        message = f"the key file {path} could not be read: {error.strerror}"
        raise BadConfiguration(message, hint=hint) from error
    except BadConfiguration as error:
        raise BadConfiguration(str(error), hint=hint) from error
    if mode & _FOR_OTHERS:
        message = f"others may read or change {path}: a key of your own is for you alone (mode {mode & 0o777:o})"
        raise BadConfiguration(message, hint=f"Make another one, or if nobody has looked: chmod 600 {path}")
    return OwnKey(signer.private_key())
