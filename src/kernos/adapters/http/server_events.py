"""Server-sent events: what a stream of bytes says, however it is cut into pieces (WHATWG HTML, section 9.2)."""


class ServerEvents:
    """Reads a stream piece by piece. Only `data` counts: names, ids and comments mean nothing to us."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the data of all events that end in this piece."""
        found: list[bytes] = []
        text = self._rest + piece
        if text.endswith(b"\r"):  # Perhaps half of a line's end.
            text, kept = text[:-1], b"\r"
        else:
            kept = b""
        *lines, rest = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = rest + kept
        for line in lines:
            if not line:
                if self._data:
                    found.append(b"\n".join(self._data))
                    self._data.clear()
            elif line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
        return found
