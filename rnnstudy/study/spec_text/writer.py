"""Plain data as YAML that reads back the same, by YAML 1.1 and 1.2 readers alike."""

from typing import Any

import yaml

from rnnstudy.study.spec_text.reader import plain


class _Writer(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _write_text(writer: _Writer, text: str) -> yaml.ScalarNode:
    # PyYAML quotes what YAML 1.1 takes for a number or truth value; YAML 1.2 adds a few more.
    style = None if isinstance(plain(text), str) else "'"
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _write_text)


def write_document(data: Any) -> str:
    """Return YAML text with keys in their order; lists and mappings of scalars on one line."""
    text: str = yaml.dump(
        data,
        Dumper=_Writer,
        sort_keys=False,
        default_flow_style=None,
        allow_unicode=True,
        width=100,
    )
    return text
