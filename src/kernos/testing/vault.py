"""Vault in memory, for the kernel on a virtual clock: the real cipher over a dictionary that outlives a simulated crash."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from kernos.adapters.aead.cipher import FileCipher
from kernos.ports.vault import Subject, SubjectCipher
from kernos.testing.clock import SeededChance
from kernos.vocabulary.errors import Erased, NotSealedHere
from kernos.vocabulary.ids import TenantId
from kernos.vocabulary.sealing import Handle


@dataclass(slots=True)
class MemoryVault:
    """Implements the vault port."""

    cipher: FileCipher = field(default_factory=lambda: FileCipher(bytes(32), SeededChance(1)))
    """With a key of its own, and the same chance in every run of a test."""
    subjects: dict[bytes, str] = field(default_factory=dict)
    held: dict[str, tuple[TenantId, SubjectCipher | None]] = field(default_factory=dict)
    """By the name of a key: None once it is destroyed."""
    bodies: dict[Handle, bytes] = field(default_factory=dict)

    def seal(self, tenant: TenantId, subject: Subject, label: str, text: str) -> Handle:
        """Keep a value. Raises Erased."""
        name = subject.key or self._key_of(tenant, subject.name)
        cipher = self._cipher(tenant, name, label)
        handle = Handle(label, name, cipher.mac(label, text))
        self.bodies.setdefault(handle, cipher.encrypt(label, handle.mac, text))
        return handle

    def open(self, tenant: TenantId, handle: Handle) -> str:
        """Return the value. Raises Erased, NotSealedHere."""
        cipher = self._cipher(tenant, handle.key, handle.label)
        if handle not in self.bodies:
            raise NotSealedHere(f"a value labelled {handle.label} was not sealed in this store")
        return cipher.decrypt(handle.label, handle.mac, self.bodies[handle])

    def keys(self, tenant: TenantId, subject: str) -> Sequence[str]:
        """Return the keys of a subject that were not destroyed."""
        name = self.subjects.get(self.cipher.index(tenant, subject))
        return (name,) if name is not None else ()

    def count(self, key: str) -> int:
        """Return how many values a key seals."""
        return sum(handle.key == key for handle in self.bodies)

    def tenant_of(self, key: str) -> TenantId | None:
        """Return whose key it is."""
        return self.held[key][0] if key in self.held else None

    def destroy(self, keys: Collection[str]) -> None:
        """Destroy keys, and take away what they sealed."""
        for name in keys:
            if name in self.held:
                self.held[name] = (self.held[name][0], None)
        self.subjects = {ref: name for ref, name in self.subjects.items() if name not in keys}
        self.bodies = {handle: body for handle, body in self.bodies.items() if handle.key not in keys}

    def close(self) -> None:
        """Keep everything for the next life."""

    def _key_of(self, tenant: TenantId, subject: str) -> str:
        ref = self.cipher.index(tenant, subject)
        name = self.subjects.get(ref)
        if name is None:
            name, key = self.cipher.new_key(tenant)
            self.subjects[ref] = name
            self.held[name] = (tenant, self.cipher.unwrap(key, name, tenant))
        return name

    def _cipher(self, tenant: TenantId, name: str, label: str) -> SubjectCipher:
        owner, cipher = self.held.get(name, (None, None))
        if owner != tenant:
            raise NotSealedHere(f"a value labelled {label} was not sealed in this store for tenant {tenant}")
        if cipher is None:
            raise Erased(f"a value labelled {label} was erased with whom it was of")
        return cipher
