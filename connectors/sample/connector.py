"""The settings of the sample directory, and what the registry knows of it."""

from collections.abc import Mapping

from marshmallow import Schema

from connectors import settings
from connectors.registry import Connector
from connectors.sample.directory import sample_days
from connectors.sample.reader import SampleReader


class SampleSettings(Schema):
    """What can be chosen."""

    day = settings.number("Day", "Which day it is in the directory: 1 or 2.", default=1, low=1, high=2)
    outage = settings.yes_no("Outage", "Whether the directory does not answer.", default=False)


SCHEMA = SampleSettings()


def open_reader(values: Mapping[str, str], secrets: Mapping[str, str]) -> SampleReader:
    """A reader of the sample directory on the chosen day; raises SettingsError."""
    loaded = settings.load_settings(SCHEMA, values, secrets)
    return SampleReader(() if loaded["outage"] else sample_days()[: loaded["day"]])


CONNECTOR = Connector("sample", "Sample directory", SCHEMA, open_reader)
