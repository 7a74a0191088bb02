"""Authority: who gives commands to a kernel, proven by a credential, and what these may be.

A store that nobody has asked for credentials is *open*: whoever can write its file acts under the name they give.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from kernos.kernel.administration import Administration
from kernos.kernel.identity import is_good
from kernos.ports.clock import Chance
from kernos.vocabulary.administration import EVERY_TENANT, Scope
from kernos.vocabulary.errors import InvalidInput, NotAllowed
from kernos.vocabulary.ids import DEFAULT_TENANT, LOCAL_PERSON, EpochMs, PrincipalId, TenantId

_PREFIX = "kernos"
_ID_BITS, _ID_DIGITS = 60, 15
_SECRET_BITS, _SECRET_DIGITS = 256, 64


@dataclass(frozen=True, slots=True)
class Secret:
    """A new credential: `text` is for its holder and is shown once, the rest is for the store."""

    credential: str
    digest: str
    text: str


def new_secret(chance: Chance) -> Secret:
    """Make the text of a credential: `kernos_ID_SECRET`, both in hex digits, with 256 random bits in the secret."""
    name = f"{chance.bits(_ID_BITS):0{_ID_DIGITS}x}"
    secret = f"{chance.bits(_SECRET_BITS):0{_SECRET_DIGITS}x}"
    return Secret(name, _digest(secret), f"{_PREFIX}_{name}_{secret}")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a credential belongs to."""

    principal: PrincipalId
    tenant: TenantId
    scopes: frozenset[Scope]

    def sees(self, tenant: str) -> bool:
        """Tell whether something of a tenant is visible."""
        return self.tenant in (EVERY_TENANT, tenant)


_ANYBODY = Caller(LOCAL_PERSON, EVERY_TENANT, frozenset(Scope))
"""Who gives commands to an open store."""


def authenticate(state: Administration, text: str, at: EpochMs) -> Caller:
    """Return whom a credential belongs to, or anybody at all where none is shown and none is asked for. Raises NotAllowed."""
    if not text:
        if not state.is_access_required:
            return _ANYBODY
        message = "this store takes commands only with a credential, and none was shown"
        raise NotAllowed(message, hint="Put yours into the environment variable KERNOS_TOKEN.")
    prefix, _, rest = text.strip().partition("_")
    name, _, secret = rest.partition("_")
    known = state.credentials.get(name)
    is_known = hmac.compare_digest(_digest(secret), known.digest if known is not None else "")
    if prefix != _PREFIX or known is None or not is_known or not is_good(state, known, at):
        message = (
            "the credential that was shown is not good here: unknown, expired, revoked, or its holder was dismissed"
        )
        raise NotAllowed(message, hint="Ask whoever administers the store for another one (`kernos access issue`).")
    return Caller(known.principal, known.tenant, known.scopes)


class Authority:
    """What may be done with one handle on a kernel. Looked up anew at each command, so that a revocation holds from then on."""

    def __init__(self, text: str, state: Callable[[], Administration], now: Callable[[], EpochMs]) -> None:
        """Take the credential that was shown, empty for none. Raises NotAllowed."""
        self._text = text
        self._state = state
        self._now = now
        self.caller = authenticate(state(), text, now())

    @property
    def may_run_agents(self) -> bool:
        """Whether the caller may run everybody's agents."""
        return self.caller.tenant == EVERY_TENANT and Scope.OPERATE in self.caller.scopes

    def check(self) -> None:
        """Raise NotAllowed when the credential is no longer good: for whoever goes on looking at what they were given."""
        self.caller = authenticate(self._state(), self._text, self._now())

    def who(self, by: str, scope: Scope) -> PrincipalId:
        """Return who gives a command that needs `scope`; `by` is who says so, empty for the caller. Raises NotAllowed."""
        caller = self.caller = authenticate(self._state(), self._text, self._now())
        if not self._text:
            return caller.principal if by == "" else PrincipalId(by)
        if by not in ("", caller.principal):
            message = f"{caller.principal} cannot speak for {by}"
            raise NotAllowed(message, hint="Leave out who says so, or show the credential of whoever does.")
        if scope not in caller.scopes:
            message = f"the credential of {caller.principal} is not good for this: it lacks the scope {scope}"
            raise NotAllowed(message, hint=f"It has: {', '.join(sorted(caller.scopes))}. Ask for another one.")
        return caller.principal

    def tenant(self, named: str) -> TenantId:
        """Return the tenant that a new run belongs to; `named` may be empty. Raises InvalidInput; NotAllowed for another than one's own."""
        own = self.caller.tenant
        if named == "":
            return DEFAULT_TENANT if own == EVERY_TENANT else own
        if not isinstance(named, str) or named == EVERY_TENANT or any(letter.isspace() for letter in named):
            message = f"{named!r} is no tenant that a run could belong to"
            raise InvalidInput(message, hint="Name one tenant, a word without spaces.")
        if not self.caller.sees(named):
            message = f"{self.caller.principal} acts in tenant {own}, not in {named}"
            raise NotAllowed(message, hint="Leave the tenant out, or show a credential for that one.")
        return TenantId(named)

    def whole(self, by: str, scope: Scope, what: str) -> PrincipalId:
        """Return who gives a command about the whole deployment. Raises NotAllowed for whoever belongs to one tenant."""
        who = self.who(by, scope)
        if self.caller.tenant != EVERY_TENANT:
            message = f"{what} concerns every tenant, and the credential of {who} is for {self.caller.tenant} alone"
            raise NotAllowed(message, hint="Ask somebody who acts for the whole deployment.")
        return who
