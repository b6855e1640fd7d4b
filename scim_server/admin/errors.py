"""Why an administrative command was refused, in words for the administrator."""


class Refused(Exception):
    """The command was understood and changed nothing; the text says why and what to do."""


class NotThere(Refused):
    """What the command names does not exist."""


class StillInUse(Refused):
    """What is to be removed is referred to by other things."""
