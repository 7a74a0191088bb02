"""Labels: how a contract says which of its fields hold values that must not be seen.

`email: Annotated[str, Label("pii.email", subject="customer")]`. Agents, models, the journal and all that is made of it see a handle in its
place; the value itself is checked as the type says where it comes in, and again where a tool is called with it.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from kernos.vocabulary.errors import BadDeclaration
from kernos.vocabulary.sealing import LABEL, LABEL_NAME, PLAIN, SEARCHED, SUBJECT, handle_of


@dataclass(frozen=True, slots=True)
class Label:
    """A text that is sealed: `name` says what kind of data it is, in words joined by dots (`pii.email`, `pay.pan`, `secret.token`, your own).

    `subject`: the field, in the same object or one around it, that says whose value it is; without, each value is a subject of its
    own. Whoever is erased is erased by that name. Raises BadDeclaration.
    """

    name: str
    subject: str = ""

    def __post_init__(self) -> None:
        """Check the name."""
        if not LABEL_NAME.fullmatch(self.name):
            message = f"{self.name!r} cannot name a label"
            raise BadDeclaration(message, hint="Use two or more lower-case words joined by dots: pii.email.")

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take a handle as it is, and check anything else as the type says; errors do not quote it."""

        def check(value: Any, inner: core_schema.ValidatorFunctionWrapHandler) -> Any:
            if isinstance(value, str) and handle_of(value) is not None:
                return value
            try:
                return inner(value)
            except ValidationError:
                kind = "sealed"
                raise PydanticCustomError(kind, "what is labelled {label} does not fit", {"label": self.name}) from None

        return core_schema.no_info_wrap_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add the label to what the type's schema says."""
        return {**handler(schema), LABEL: self.name} | ({SUBJECT: self.subject} if self.subject else {})


@dataclass(frozen=True, slots=True)
class FreeText:
    """A text in which e-mail addresses, telephone and card numbers and IBANs are sealed where they stand. `subject`: as for `Label`."""

    subject: str = ""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say in the type's schema that the text is searched."""
        return {**handler(schema), SEARCHED: True} | ({SUBJECT: self.subject} if self.subject else {})


@dataclass(frozen=True, slots=True)
class Plain:
    """A text in an answer that stays in the open even where it is, or holds, a value that was opened for the call.

    For what is read out of a labelled text: a letter may say nothing but an order's number.
    """

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say so in the type's schema."""
        return {**handler(schema), PLAIN: True}
