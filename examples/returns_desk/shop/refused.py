"""Refused: what the shop answers to a request that it turns down."""


class Refused(Exception):
    """A request is turned down and has changed nothing. `code` is stable, for programs; `message` is for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
