"""The default install: few packages, and no weight that a laptop would notice."""

import re
from importlib.metadata import PackageNotFoundError, distribution

PACKAGES_MAX = 45
BYTES_MAX = 60_000_000


def default_install() -> dict[str, int]:
    """Give the packages that come with kernos, each with its size in bytes without compiled caches."""
    sizes: dict[str, int] = {}
    asked = ["kernos"]
    while asked:
        name = asked.pop()
        try:
            package = distribution(name)
        except PackageNotFoundError:  # Needed on another system or another Python only.
            continue
        files = [file for file in package.files or () if file.suffix != ".pyc"]
        sizes[name] = sum(file.size or 0 for file in files)
        wanted = [one for one in package.requires or () if "extra ==" not in one]
        names = [re.split(r"[^\w.-]", one)[0].lower().replace("_", "-") for one in wanted]
        asked += [name for name in names if name not in sizes]
    return sizes


def test_the_default_install_is_small() -> None:
    sizes = default_install()
    assert "pydantic-core" in sizes
    assert len(sizes) <= PACKAGES_MAX, sorted(sizes)
    assert sum(sizes.values()) <= BYTES_MAX, sizes
