#!/usr/bin/env python3
"""Print the places where the package breaks the rules of language and size.

Usage: tools/language.py [--rules A,B] [--summary] [FOLDER ...]

Each place is one line: file, line, rule, message. Rules of single files: names, openings,
sentences, sections, errors. Rules of the whole package: meanings, sizes, circles. CONTRIBUTING.md
explains them. Without a folder the whole package is read, but for the files in PENDING.
"""

import argparse
import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parents[1] / "rnnstudy"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FORBIDDEN_NAMES = _words(
    """
    found given own held told here there made who whose whom taken kept asked seen which
    what those these mine ours elsewhere somewhere everywhere apart together ahead nobody
    somebody begun came place way
    """
)
"""Pronouns, adverbs, bare participles, and nouns that say nothing."""

PARTICIPLE_EXCEPTIONS = _words(
    "embed exceed feed need proceed seed shed speed ungated untrained weed"
)
"""Words that end in `ed` and are no participles, or name a thing."""

IRREGULAR_PARTICIPLES = _words("shown drawn grown done gone led met sent written")

OPENINGS = re.compile(
    r"(What|Of|Whether|Where|Those|How|That|Somebody|Nobody|Who|Whose|Which|Why|So|Nothing)\b"
)
"""First words that make a docstring a clause without a subject."""

VERBS = _words(
    """
    Absorb Accept Add Adjust Advance Align Allow Analyse Annotate Append Apply Approximate
    Arrange Assemble Assert Assign Attach Average Balance Bisect Bootstrap Bound Bracket
    Break Build Bundle Cache Calculate Call Cancel Carry Cast Centre Change Check Choose
    Classify Clean Clear Clip Close Cluster Collapse Collect Colour Combine Compare Compile
    Complete Compose Compute Concatenate Connect Construct Continue Convert Copy Correct
    Correlate Count Cover Create Cut Decide Declare Decode Decompose Decrease Deduplicate
    Define Deflate Delete Derive Describe Detect Determine Deviate Differentiate Disable
    Discard Discover Dispatch Display Distribute Divide Document Double Draw Drop Dump Embed
    Emit Enable Encode End Enlarge Ensure Enter Enumerate Escape Estimate Evaluate Evict
    Do Exchange Exclude Execute Exit Expand Explain Export Express Extend Extract Factor Fail
    Fall Fetch
    Fill Filter Find Finish Fit Fix Flatten Follow Forget Form Format Forward Freeze Gather
    Generate Get Give Go Group Grow Guard Guess Handle Hash Hide Hold Identify Ignore Import
    Impose Improve Include Increase Index Infer Initialise Insert Inspect Install Integrate
    Interpolate Interrupt Invalidate Invert Invoke Isolate Iterate Join Judge Keep Label Lay
    Leave Let Lift Limit Linearise Link List Load Locate Lock Log Look Lower Make Map Mark
    Mask Match Mean Measure Memoise Merge Migrate Minimise Mirror Mix Move Multiply Name
    Narrow Normalise Note Notify Number Observe Occupy Offer Open Order Orient Override Pack
    Pad Paint Parse Partition Pass Penalise Perform Permute Perturb Pick Place Plan Plot
    Polish Pool Predict Prefix Prepare Preserve Print Process Produce Project Propagate
    Protect Prune Pull Push Put Quote Raise Randomise Rank Read Rebuild Receive Recompute
    Record Recover Reduce Refine Refuse Register Reject Relabel Relax Release Remove Rename
    Render Renumber Reorder Repair Repeat Replace Report Represent Request Require Resample
    Rescale Reset Reshape Resolve Restore Restrict Resume Retain Retry Return Reuse Reverse
    Rotate Round Route Run Sample Save Scale Scan Scatter Score Search Select Send Separate
    Serialise Set Shape Share Sharpen Shift Shorten Show Shrink Shuffle Shut Sign Simulate
    Skip Slice Smooth Solve Sort Split Spread Stack Start State Step Stop Store Stream Strip
    Submit Subtract Sum Summarise Suppress Swap Switch Symmetrise Tabulate Take Tell Test
    Throw Tile Trace Track Train Transform Translate Transpose Traverse Trim Truncate Try
    Turn Unpack Unstack Unwrap Update Use Validate Vary Verify Visit Wait Walk Warn Weigh
    Weight Widen Wrap Write Yield Zero
    """
)
"""First words of a function's docstring. Add a verb that is missing."""

LONGEST_SENTENCE = 25
"""Words of a sentence."""

SECTIONS = (
    "Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns", "See Also", "Notes",
    "References", "Examples",
)  # fmt: skip

BASES = frozenset({"Record", "Component"})
"""Classes whose descendants show fields to users."""

MEDIAN_LINES, HIGH_LINES, MOST_LINES = 6, 18, 60
"""Code lines of a function, without its docstring: median, 90th percentile, largest."""

FOLDER_SIZES = range(3, 13)
"""Modules of a folder, `__init__` not counted."""

FREE_FOLDERS = frozenset({"", "study", "dynamics", "comparison", "report/templates"})
"""Folders that hold folders, or no code."""

SHARED_NAMES: dict[str, str] = {
    "main": "the entry of the command and the function that it calls",
    "run": "the command and the function that it calls",
    "status": "the command and the function that it calls",
    "export": "the command and the function that it calls",
    "schema": "the command and the function that it calls",
}
"""Public name -> reason why two definitions may share it."""

PENDING = _words("")
"""Files and folders that are not checked yet, relative to the package."""

LAZY_CIRCLES: frozenset[str] = frozenset({"rnnstudy"})
"""Modules that import their users on first use, as documented."""


Documented = ast.Module | ast.ClassDef | ast.FunctionDef


class Place(NamedTuple):
    """One broken rule."""

    path: Path
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


@dataclass(frozen=True, eq=False)
class Module:
    """A parsed file: its path, its dotted name and its syntax tree."""

    path: Path
    name: str
    tree: ast.Module

    @cached_property
    def functions(self) -> list[ast.FunctionDef]:
        """All functions and methods."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)]

    @cached_property
    def classes(self) -> list[ast.ClassDef]:
        """All classes."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef)]

    @property
    def is_package(self) -> bool:
        """True for an `__init__` file."""
        return self.path.name == "__init__.py"

    def place(self, node: ast.AST | int, rule: str, message: str) -> Place:
        """Return a place of this file."""
        line = node if isinstance(node, int) else getattr(node, "lineno", 1)
        return Place(self.path, line, rule, message)


class Package:
    """All modules below one folder that is a package."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules = [_parse(path, folder) for path in sorted(folder.rglob("*.py"))]

    @cached_property
    def bases(self) -> dict[str, set[str]]:
        """Names of the bases of each class."""
        known: dict[str, set[str]] = defaultdict(set)
        for module in self.modules:
            for node in module.classes:
                known[node.name] |= {_last_name(base) for base in node.bases}
        return known

    def descends(self, name: str, roots: frozenset[str]) -> bool:
        """Return True if a class has one of the roots among its ancestors."""
        waiting, visited = set(self.bases.get(name, ())), {name}
        while waiting:
            base = waiting.pop()
            if base in roots:
                return True
            if base not in visited:
                visited.add(base)
                waiting |= self.bases.get(base, set())
        return False

    @cached_property
    def public_names(self) -> frozenset[str]:
        """Names that a package exports, or that its docstring names in backticks."""
        names: set[str] = set()
        for module in self.modules:
            if module.is_package:
                names |= set(re.findall(r"`(\w+)`", ast.get_docstring(module.tree) or ""))
        names -= {part for module in self.modules for part in module.name.split(".")}
        for name in ("__init__.pyi", "__init__.py"):
            path = self.folder / name
            if path.exists():
                imports = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                names |= {
                    alias.name
                    for node in imports
                    if isinstance(node, ast.ImportFrom)
                    for alias in node.names
                }
        return frozenset(names)


def _parse(path: Path, folder: Path) -> Module:
    parts = [folder.name, *path.relative_to(folder).with_suffix("").parts]
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(path, name, ast.parse(path.read_text(encoding="utf-8")))


def _last_name(node: ast.expr) -> str:
    """Return `Record` for `Record`, `record.Record` and `Record[int]`."""
    if isinstance(node, ast.Subscript):
        return _last_name(node.value)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


# Names.


def check_names(module: Module, package: Package) -> Iterator[Place]:
    """Yield names that are pronouns, adverbs or bare participles."""
    if module.path.stem in FORBIDDEN_NAMES:
        yield module.place(1, "names", f"file '{module.path.stem}' must be named by a noun")
    for node, kind, name in _bound_names(module.tree):
        if name.strip("_") in FORBIDDEN_NAMES:
            yield module.place(node, "names", f"{kind} '{name}' must be the noun of the thing")
    for function in module.functions:
        if _is_participle(function.name) and not _is_property(function):
            message = f"function '{function.name}' must be a verb or a noun, not a participle"
            yield module.place(function, "names", message)
        if "left" in (names := _names_in(function)) and not {"right", "right_"} & names:
            yield module.place(function, "names", "'left' without 'right' must be 'remaining'")


def _bound_names(tree: ast.Module) -> Iterator[tuple[ast.AST, str, str]]:
    """Yield (node, kind, name) for each name that the code binds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node, "name", node.id
        elif isinstance(node, ast.arg):
            yield node, "parameter", node.arg
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node, "attribute", node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, "function", node.name
        elif isinstance(node, ast.ClassDef):
            yield node, "class", node.name.lower()
        elif isinstance(node, ast.alias) and node.asname:
            yield node, "import", node.asname


def _names_in(function: ast.FunctionDef) -> set[str]:
    """Return the variables and parameters of a function."""
    return {
        node.arg if isinstance(node, ast.arg) else node.id
        for node in ast.walk(function)
        if isinstance(node, ast.arg)
        or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    }


def _is_participle(name: str) -> bool:
    word = name.strip("_")
    if "_" in word or word in PARTICIPLE_EXCEPTIONS:
        return False
    return word in IRREGULAR_PARTICIPLES or (word.endswith("ed") and word.isalpha())


def _is_property(function: ast.FunctionDef) -> bool:
    return any("property" in _last_name(node) for node in function.decorator_list)


# Docstrings.


def check_openings(module: Module, package: Package) -> Iterator[Place]:
    """Yield docstrings that open with a clause, and functions' that open with no verb."""
    for node, text in _docstrings(module):
        first = text.split(None, 1)[0] if text.split() else ""
        if OPENINGS.match(text) or text.split("\n\n")[0].rstrip().endswith("?"):
            yield module.place(node, "openings", f"docstring must not open with '{first}'")
        elif _needs_verb(node) and first.rstrip(".,:") not in VERBS:
            message = f"docstring of '{node.name}' must open with a verb, not '{first}'"  # type: ignore[attr-defined]
            yield module.place(node, "openings", message)


def _needs_verb(node: ast.AST) -> bool:
    """Return True for functions, but for properties."""
    return isinstance(node, ast.FunctionDef) and not _is_property(node)


def _docstrings(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield (node, docstring) of the module, its classes, functions, fields and constants."""
    nodes: list[Documented] = [module.tree, *module.classes, *module.functions]
    for node in nodes:
        if text := ast.get_docstring(node):
            yield node, text
        for statement, text in _attribute_docstrings(node):
            yield statement, text


def _attribute_docstrings(node: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Yield (assignment, text) for each text that stands below an assignment."""
    body = getattr(node, "body", [])
    for statement, below in pairwise(body):
        value = below.value if isinstance(below, ast.Expr) else None
        if not isinstance(statement, ast.Assign | ast.AnnAssign):
            continue
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield statement, value.value


def check_sentences(module: Module, package: Package) -> Iterator[Place]:
    """Yield sentences of docstrings that are too long."""
    for node, text in _docstrings(module):
        for sentence in _sentences(text):
            words = [word for word in sentence.split() if re.search(r"\w", word)]
            if len(words) > LONGEST_SENTENCE:
                message = f"sentence of {len(words)} words: '{' '.join(words[:8])} ...'"
                yield module.place(node, "sentences", message)


def _sentences(text: str) -> Iterator[str]:
    """Yield the sentences of the prose of a docstring."""
    for paragraph in _prose(text):
        yield from re.split(r"(?<=[.:;?!])[)\"'`]*\s+", paragraph)


def _prose(text: str) -> Iterator[str]:
    """Yield paragraphs and list items, without examples, references and indented code."""
    section, paragraph = "", list[str]()
    lines = text.expandtabs().splitlines()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if _is_header(line, below):
            section = line.strip()
        starts_item = re.match(r"\s*([-*] |\d+\. |\.\. )", line) or _is_header(line, below)
        if not line.strip() or starts_item or set(line.strip()) == {"-"} or section == "Parameters":
            yield " ".join(paragraph)
            paragraph = []
        if section not in ("Examples", "References") and not re.match(r"\s*(>>>|\.\.\.)", line):
            paragraph.append(line.strip())
    yield " ".join(paragraph)


def _is_header(line: str, below: str) -> bool:
    return line.strip() in SECTIONS and set(below.strip()) == {"-"}


# Sections of the public face.


def sections_of(text: str) -> dict[str, str]:
    """Return the text of each numpydoc section of a docstring."""
    known: dict[str, list[str]] = {}
    current = known.setdefault("", [])
    lines = text.splitlines()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if _is_header(line, below):
            current = known.setdefault(line.strip(), [])
        elif not (line.strip() and set(line.strip()) == {"-"}):
            current.append(line)
    return {name: "\n".join(part) for name, part in known.items()}


def entries_of(section: str) -> list[str]:
    """Return the names that a section of parameters or attributes explains, in order."""
    names: list[str] = []
    for line in section.splitlines():
        if line and not line[0].isspace():
            names += [name.strip(" *") for name in line.split(" : ")[0].split(",")]
    return names


def check_sections(module: Module, package: Package) -> Iterator[Place]:
    """Yield public functions and classes that lack a section."""
    for node in module.tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in package.public_names:
            if not node.name.startswith("_"):
                yield from _lacking_in_function(module, node)
        elif isinstance(node, ast.ClassDef) and _is_public_class(node, package):
            yield from _lacking_in_class(module, node)


def _is_public_class(node: ast.ClassDef, package: Package) -> bool:
    if node.name.startswith("_"):
        return False
    return node.name in package.public_names or package.descends(node.name, BASES)


def _lacking_in_function(module: Module, node: ast.FunctionDef) -> Iterator[Place]:
    sections = sections_of(ast.get_docstring(node) or "")
    parameters = [name for name in _parameters(node) if name not in ("self", "cls")]
    explained = entries_of(sections.get("Parameters", ""))
    if explained != parameters:
        message = f"Parameters of '{node.name}' must be {parameters}, got {explained}"
        yield module.place(node, "sections", message)
    returns = node.returns
    empty = returns is None or (isinstance(returns, ast.Constant) and returns.value is None)
    needed = [] if empty else ["Returns"]
    needed += ["Raises"] if _raises(node) else []
    needed += ["Examples"]
    for name in needed:
        if name not in sections and not (name == "Returns" and "Yields" in sections):
            yield module.place(node, "sections", f"'{node.name}' must have a section {name}")
    if "Examples" in sections and ">>>" not in sections["Examples"]:
        yield module.place(node, "sections", f"Examples of '{node.name}' must have a line with >>>")


def _parameters(node: ast.FunctionDef) -> list[str]:
    a = node.args
    stars = [a.vararg] if a.vararg else []
    ends = [a.kwarg] if a.kwarg else []
    return [each.arg for each in [*a.posonlyargs, *a.args, *stars, *a.kwonlyargs, *ends]]


def _raises(node: ast.FunctionDef) -> bool:
    """Return True if the function itself raises an error of its own."""
    return any(isinstance(each, ast.Raise) and each.exc is not None for each in ast.walk(node))


def _lacking_in_class(module: Module, node: ast.ClassDef) -> Iterator[Place]:
    text = ast.get_docstring(node) or ""
    sections = sections_of(text)
    if ">>>" not in sections.get("Examples", ""):
        message = f"'{node.name}' must have a section Examples with a line with >>>"
        yield module.place(node, "sections", message)
    explained = set(entries_of(sections.get("Parameters", "")))
    explained |= set(entries_of(sections.get("Attributes", "")))
    explained |= {name for field, _ in _attribute_docstrings(node) for name in _targets(field)}
    missing = [name for name in _fields(node) if name not in explained]
    if missing:
        message = f"'{node.name}' must explain its fields, it lacks {', '.join(missing)}"
        yield module.place(node, "sections", message)


def _fields(node: ast.ClassDef) -> list[str]:
    """Return the public fields that a class declares itself."""
    return [
        name
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
        and "ClassVar" not in ast.unparse(statement.annotation)
        for name in _targets(statement)
        if not name.startswith("_")
    ]


def _targets(statement: ast.stmt) -> list[str]:
    nodes = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    return [node.id for node in nodes if isinstance(node, ast.Name)]


# Errors.


def check_errors(module: Module, package: Package) -> Iterator[Place]:
    """Yield messages of ValueError and TypeError that say no requirement."""
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
            continue
        text = _literal(node.exc.args[0]) if node.exc.args else ""
        is_checked = _last_name(node.exc.func) in ("ValueError", "TypeError")
        # A message that only puts a name before another message has no words of its own.
        has_words = len(re.findall(r"[a-z]{2,}", text)) > 1
        if is_checked and has_words and not re.search(r"\bmust\b", text):
            message = f"error must say 'X must be Y, got Z. Do W.': '{text[:60]}'"
            yield module.place(node, "errors", message)


def _literal(node: ast.expr) -> str:
    """Return the text of a message with `{}` for its values; nothing if it is computed."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part) if isinstance(part, ast.Constant) else "{}"
                       for part in node.values)  # fmt: skip
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _literal(node.left), _literal(node.right)
        return left + right if left and right else ""
    return ""


# Rules over the whole package.


def check_meanings(package: Package) -> Iterator[Place]:
    """Yield public names with several definitions that differ."""
    places: dict[str, list[tuple[Module, ast.stmt, str]]] = defaultdict(list)
    for module in package.modules:
        for node, name in _public_definitions(module.tree):
            places[name].append((module, node, ast.dump(node)))
    for name, definitions in sorted(places.items()):
        if len({text for _, _, text in definitions}) > 1 and name not in SHARED_NAMES:
            modules = ", ".join(module.name for module, _, _ in definitions)
            message = f"'{name}' must have one meaning, got {modules}"
            yield from (module.place(node, "meanings", message) for module, node, _ in definitions)


def _public_definitions(tree: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    """Yield (node, name) of classes, functions and constants of a module."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            names = [name for name in _targets(node) if name.isupper()]
        else:
            continue
        # A single letter is a type variable.
        yield from ((node, name) for name in names if len(name) > 1 and name[0] != "_")


def code_lines(function: ast.FunctionDef) -> int:
    """Return the lines of a function without its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is not None:
        text = function.body[0]
        lines -= (text.end_lineno or 0) - text.lineno + 1
    return lines


def check_sizes(package: Package) -> Iterator[Place]:
    """Yield functions that are too long, and folders with too few or too many modules."""
    sizes = [(code_lines(f), m, f) for m in package.modules for f in m.functions]
    for size, module, function in sizes:
        if size > MOST_LINES:
            message = f"'{function.name}' must have at most {MOST_LINES} lines, got {size}"
            yield module.place(function, "sizes", message)
    ordered = sorted(size for size, _, _ in sizes)
    high = ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]
    for name, value, most in (("median", median(ordered), MEDIAN_LINES),
                              ("90th percentile", high, HIGH_LINES)):  # fmt: skip
        if value > most:
            message = f"{name} of functions' lines must be at most {most}, got {value}"
            yield Place(package.folder, 1, "sizes", message)
    yield from _folder_sizes(package)


def _folder_sizes(package: Package) -> Iterator[Place]:
    counts = Counter(m.path.parent for m in package.modules if not m.is_package)
    for folder, count in counts.items():
        name = folder.relative_to(package.folder).as_posix()
        if count not in FOLDER_SIZES and ("" if name == "." else name) not in FREE_FOLDERS:
            message = (
                f"folder must have {FOLDER_SIZES[0]} to {FOLDER_SIZES[-1]} modules, got {count}"
            )
            yield Place(folder, 1, "sizes", message)


def check_circles(package: Package) -> Iterator[Place]:
    """Yield import circles; an import inside a function counts too."""
    names = {module.name for module in package.modules}
    graph = {module.name: _imports(module, names) for module in package.modules}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        yield Place(package.folder, 1, "circles", f"imports must form no circle, got {circle}")


def _imports(module: Module, names: set[str]) -> set[str]:
    """Return the modules of the package that a module imports, in functions too."""
    if module.name in LAZY_CIRCLES:
        return set()
    imported: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            deeper = {f"{node.module}.{alias.name}" for alias in node.names}
            imported |= {name for name in deeper | {node.module} if name in names}
        elif isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names if alias.name in names}
    return imported - {module.name} - LAZY_CIRCLES


MODULE_RULES: dict[str, Callable[[Module, Package], Iterator[Place]]] = {
    "names": check_names,
    "openings": check_openings,
    "sentences": check_sentences,
    "sections": check_sections,
    "errors": check_errors,
}
PACKAGE_RULES: dict[str, Callable[[Package], Iterator[Place]]] = {
    "meanings": check_meanings,
    "sizes": check_sizes,
    "circles": check_circles,
}


def check(paths: Iterable[Path], rules: Iterable[str], pending: Iterable[str] = ()) -> list[Place]:
    """Return the broken rules at or below some paths, but for pending files."""
    rules, wanted = list(rules), [path.resolve() for path in paths]
    exempt = [PACKAGE / name for name in pending]
    places: list[Place] = []
    for folder in dict.fromkeys(map(package_of, wanted)):
        package = Package(folder)
        for rule in rules:
            if rule in PACKAGE_RULES:
                places += PACKAGE_RULES[rule](package)
            else:
                for module in package.modules:
                    places += MODULE_RULES[rule](module, package)
    return sorted(
        place
        for place in places
        if _is_below(place.path, wanted) and not _is_below(place.path, exempt)
    )


def _is_below(path: Path, folders: Iterable[Path]) -> bool:
    return any(folder == path or folder in path.parents for folder in folders)


def package_of(path: Path) -> Path:
    """Return the outermost package that a path is in."""
    folder = path if path.is_dir() else path.parent
    while (folder.parent / "__init__.py").exists():
        folder = folder.parent
    return folder


def main(arguments: list[str] | None = None) -> int:
    """Print the places and return 1 if there are any."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path, help="default: all but pending files")
    parser.add_argument("--rules", default=",".join([*MODULE_RULES, *PACKAGE_RULES]))
    parser.add_argument("--summary", action="store_true", help="print the numbers only")
    options = parser.parse_args(arguments)
    pending = () if options.paths else PENDING
    places = check(options.paths or [PACKAGE], options.rules.split(","), pending)
    counts = Counter(place.rule for place in places)
    lines = [] if options.summary else [str(place) for place in places]
    lines.append(
        ", ".join([f"{len(places)} places", *(f"{n} {rule}" for rule, n in counts.items())])
    )
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if places else 0


if __name__ == "__main__":
    sys.exit(main())
