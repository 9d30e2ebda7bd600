"""Build of the package: the specs of the folder `specs` are copied beside the code."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SPECS = Path("specs")
SUFFIXES = (".yaml", ".json", ".npz", ".nc", ".pt", ".safetensors")
"""Endings of the files that are copied: specs, their schema, and files that specs name."""


class BuildWithSpecs(build_py):
    """Build of the code and of a copy of the specs. An editable install reads the folder itself."""

    def run(self) -> None:
        """Build, then copy the specs."""
        super().run()
        if self.editable_mode:
            return
        for source, target in self._copies():
            self.mkpath(str(Path(target).parent))
            self.copy_file(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return the files that are written, copies included."""
        copies = [] if self.editable_mode else [target for _, target in self._copies()]
        return [*super().get_outputs(include_bytecode), *copies]

    def get_source_files(self) -> list[str]:
        """Return the files that a source distribution must have."""
        return [*super().get_source_files(), *(source for source, _ in self._copies())]

    def _copies(self) -> list[tuple[str, str]]:
        """Return the path of each spec in the sources and in the build."""
        folder = Path(self.build_lib, "rnnstudy", "specs")
        sources = sorted(path for path in SPECS.iterdir() if path.suffix in SUFFIXES)
        return [(str(path), str(folder / path.name)) for path in sources]


setup(cmdclass={"build_py": BuildWithSpecs})
