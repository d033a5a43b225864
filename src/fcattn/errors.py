"""Everything that fcattn raises or warns about on purpose."""


class FcattnError(Exception):
    """Base of every error that fcattn raises on purpose; its text says what to do."""


class AudioError(FcattnError):
    """An input that is not usable sound: missing, unreadable, empty, not finite, without a rate."""


class ConfigError(FcattnError):
    """A setting or a ``config.json`` that does not describe a model."""


class CheckpointError(FcattnError):
    """A checkpoint folder that is incomplete, damaged, or does not fit its own config."""


class HubError(FcattnError):
    """A repository that does not exist, refuses, or cannot be reached and is not in the cache."""


class UnknownModelError(FcattnError):
    """A model name that nothing resolves to."""


class CorpusError(FcattnError):
    """A corpus folder, split or class that cannot be trained or tested on."""


class DependencyError(FcattnError):
    """An optional package that is needed here and is not installed."""


class ProvenanceWarning(UserWarning):
    """The weights that were loaded are not the ones that the name suggests."""
