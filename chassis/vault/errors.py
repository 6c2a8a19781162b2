"""What can go wrong with sealed text. No error repeats a key or a text."""

from chassis.outage import Outage


class VaultError(Exception):
    """The root."""


class Misplaced(VaultError):
    """A value was changed, or stands in another place than the one it was sealed for; it is never opened as if."""


class KeysUnusable(VaultError, Outage):
    """The file of master keys is not there, or not one: nobody's own fault, and to be put right by people."""


class KeysMissing(Outage):
    """A key that something is sealed under is not at hand: a master key was taken out of the file too early, or is
    another one of its name, or the table of data keys is not the one the value belongs to. To be put right by people,
    and worth waiting for."""


class NoDataKey(KeysMissing):
    """A value names a data key that the table does not have."""
