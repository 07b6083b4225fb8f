"""The names of all perturbations of one group, for whoever offers them to be chosen from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.cache import layers, stored
from toolkit.cache.search.name_index import NameIndex
from toolkit.cache.search.searching import Search
from toolkit.errors import NotFound
from toolkit.progress import SILENT, Progress

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections


def of_the_default_group(connections: Connections, progress: Progress = SILENT) -> tuple[str, list[str]]:
    """The default group (of the dropdown; else the first there is) and its perturbations, sorted.

    Reads the frames' names only, and those once: the index keeps them. Raises NotFound where there is no group, and the
    first problem where nothing of it could be read.
    """
    read = layers.read_either(connections)
    groups = stored.group_names(read)[:1]
    if not groups:
        raise NotFound("There is no group in the cache.", hint="A rebuild makes them: `toolkit cache rebuild`.")
    index = NameIndex()
    search = Search(connections, list(stored.everywhere(connections, read, groups)), progress, index)
    searched = search.search(groups, stored.searched(read))
    names = sorted(set(searched.names()))
    if not names and searched.problems:
        raise searched.problems[0]
    return groups[0], names
