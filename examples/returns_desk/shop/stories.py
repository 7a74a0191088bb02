"""Stories: orders that every seeded shop holds, whatever the seed, so that tickets can be about them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Story:
    """One order. A customer of a story has no orders but those of stories.

    `status` is a state with a figure: `delivered 6` (days ago), `shipped 3` or `lost -9` (promised so many days from
    today), `placed 1`, `packed 2` and `cancelled 8` (ordered so many days ago). `items` are SKUs, with `:SIZE`, `*2`
    for two of them and `!` for final sale. `of` names the story whose customer this is; `refunded` is what was given
    back before, in cents, -1 for all of it.
    """

    name: str
    language: str
    status: str
    items: str
    of: str = ""
    refunded: int | None = None
    vip: bool = False


STORIES: tuple[Story, ...] = ()
