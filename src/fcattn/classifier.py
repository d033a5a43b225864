"""The face of the package: a network that loads by name and answers with names."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from fcattn import checkpoint, hub
from fcattn.checkpoint import Checkpoint
from fcattn.config import ModelConfig
from fcattn.listener import Listener
from fcattn.model import EmotionNetwork
from fcattn.provenance import Provenance
from fcattn.scores import NetworkScorer


class EmotionClassifier(EmotionNetwork, Listener):
    """A trained network with what is known of it.

    Args:
        config: The model.
        provenance: Where its weights come from.
        results: Figures of each judged split.
    """

    def __init__(
        self,
        config: ModelConfig,
        provenance: Provenance | None = None,
        results: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(config)
        self.provenance = provenance or Provenance("untrained")
        self.results = results or {}

    @classmethod
    def from_pretrained(
        cls, name: str | Path, *, revision: str | None = None, strict: bool = False
    ) -> EmotionClassifier:
        """Load a model, in eval mode, on the CPU.

        Args:
            name: Checkpoint folder, name of a model, or repository of the Hub:
                ``owner/repo[@revision]``.
            revision: Branch, tag or commit of a repository.
            strict: True refuses other weights in place of those that the name promises.

        Raises:
            UnknownModelError: If nothing of that name is found.
            CheckpointError: If the folder is not a whole checkpoint.
            HubError: If a repository cannot be reached and the cache does not hold it.
        """
        found = checkpoint.load(hub.resolve(str(name), revision, strict))
        model = cls(found.config, found.provenance, found.results)
        model.load_state_dict(found.weights, strict=True)
        return model.eval()

    @property
    def scorer(self) -> NetworkScorer:
        """The network as what answers."""
        return NetworkScorer(self)

    def push_to_hub(
        self,
        repository: str,
        *,
        private: bool = False,
        revision: str | None = None,
        tag: str | None = None,
    ) -> str:
        """Publish the model; refuses without licence, data set, split and metrics.

        Args:
            repository: ``owner/repo``; made if it is not there.
            private: True makes a new repository visible to its owner only.
            revision: Branch; ``main`` by default.
            tag: Name for the commit, for example ``v1``.

        Returns:
            The commit.
        """
        from fcattn import remote  # late, as it loads huggingface_hub

        with tempfile.TemporaryDirectory() as home:
            folder = self.save_pretrained(Path(home) / self.provenance.name)
            return remote.push(folder, repository, private=private, revision=revision, tag=tag)

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write a checkpoint folder: config, weights, metrics and card."""
        from fcattn import card  # late, as it loads huggingface_hub

        whole = Checkpoint(self.config, self.state_dict(), self.provenance, self.results)
        return checkpoint.save(folder, whole, card.render(whole))


from_pretrained = EmotionClassifier.from_pretrained
