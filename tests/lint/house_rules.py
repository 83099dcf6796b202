"""The rules of the house, read off the files: who may include whom, who may see which library, how files begin.

Usage: house_rules.py ROOT. Prints one line per finding and exits 1 if there is any; warnings do not count.
It reads include lines and CMakeLists.txt as text; it does not run the preprocessor or CMake.
"""

import re
import sys
from pathlib import Path

# Part -> the parts that it may include. A file belongs to the part with the longest matching path.
ARROWS = {
    "schemas": (),
    "schemas/codec": ("schemas",),
    "pipeline": ("schemas",),
    "pipeline/training": ("schemas", "pipeline"),
    "consumer/bus": ("schemas", "schemas/codec"),
    "consumer/ledger": ("schemas", "schemas/codec"),
    "consumer/program": ("schemas", "consumer/bus"),
    "consumer/queen": ("schemas", "schemas/codec", "consumer/bus", "consumer/ledger", "consumer/program"),
    "consumer/worker": ("schemas", "schemas/codec", "consumer/bus", "consumer/ledger", "consumer/program", "pipeline"),
    "consumer/bridge": ("schemas", "schemas/codec", "consumer/bus", "consumer/ledger", "consumer/program"),
    "consumer/cli": ("schemas", "schemas/codec", "consumer/bus", "consumer/ledger", "consumer/program", "pipeline"),
}

# What the pipeline shows to other parts. None of it may lead to torch, however many includes away.
PIPELINE_FACE = ("pipeline/pipeline.h", "pipeline/catalogue.h", "pipeline/image/")

PROGRAMS = ("consumer/program", "consumer/queen", "consumer/worker", "consumer/bridge", "consumer/cli")

# Library (as its includes begin) -> the parts that may see it.
LIBRARIES = (
    ("ZeroMQ", r"zmq", ("consumer/bus",)),
    ("hiredis", r"hiredis/", ("consumer/ledger",)),
    ("torch", r"(torch|ATen|c10|caffe2)/", ("pipeline",)),
    ("oneDNN", r"(oneapi|dnnl)", ("pipeline",)),
    ("utf8proc", r"utf8proc", ("pipeline",)),
    ("Pango and Cairo", r"(pango|cairo)", ("consumer/cli",)),
    ("an image codec", r"(png|jpeglib|jerror|webp/)", ("pipeline",)),
    ("MessagePack", r"msgpack", ("schemas/codec",)),
    ("JSON", r"nlohmann/", ("schemas/codec", "pipeline", "consumer/bridge", "consumer/cli")),
    ("Boost", r"boost/", ("consumer/bridge",)),
    ("prometheus-cpp", r"prometheus/", ("consumer/bridge",)),
    ("CLI11", r"CLI/", PROGRAMS + ("pipeline/training",)),
    ("spdlog", r"(spdlog|fmt)/", PROGRAMS + ("consumer/bus", "consumer/ledger")),
    ("libsodium", r"sodium", PROGRAMS + ("schemas/codec", "pipeline", "consumer/bus", "consumer/ledger")),
)

TORCH = re.compile(r"(torch|ATen|c10|caffe2)/")
STANDARD_HEADER = re.compile(r"[a-z_0-9]+")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
TOP_LEVEL = {"schemas", "pipeline", "consumer", "broker-config", "docker", "tests"}
NAMELESS = {"common", "util", "utils", "helper", "helpers", "core"}
NOT_OURS = {"build", "node_modules", "__pycache__"}
CODE = {".h", ".cpp"}
TEXT = CODE | {".inc", ".lua", ".py", ".sh", ".cmake", ".md", ".txt", ".yaml", ".conf"}
LONGEST_FILE = 400


def part_of(path):
    """The part that a file belongs to: "tests", a key of ARROWS, or None."""
    if path.startswith("tests/"):
        return "tests"
    found = [part for part in ARROWS if path.startswith(part + "/")]
    return max(found, key=len, default=None)


def library_of(include):
    for name, pattern, parts in LIBRARIES:
        if re.match(pattern, include):
            return name, parts
    return None


class Tree:
    """The files below a root, texts read once; build folders, data and hidden folders left out."""

    def __init__(self, root):
        self.root = Path(root)
        self.folders = []
        self.files = set()
        self.texts = {}
        self.scan(self.root)

    def scan(self, folder):
        for entry in sorted(folder.iterdir()):
            name = entry.relative_to(self.root).as_posix()
            if entry.name.startswith(".") or entry.name in NOT_OURS or entry.is_symlink():
                continue
            if entry.is_dir():
                self.folders.append(name)
                self.scan(entry)
                continue
            self.files.add(name)
            if entry.suffix in TEXT and "/data/" not in name and "/vectors/" not in name:
                self.texts[name] = entry.read_text(encoding="utf-8", errors="replace")

    def code(self):
        return {name: text for name, text in self.texts.items() if Path(name).suffix in CODE}

    def generates(self, header):
        """Whether the CMakeLists.txt of a header's folder makes that header: then it exists in the build alone."""
        folder, _, base = header.rpartition("/")
        return base in self.texts.get(f"{folder}/CMakeLists.txt", "")


def quoted(text):
    return [match[0] for match in INCLUDE.findall(text) if match[0]]


def angled(text):
    return [match[1] for match in INCLUDE.findall(text) if match[1]]


def check_folders(tree):
    for folder in tree.folders:
        if "/" not in folder and folder not in TOP_LEVEL:
            yield f"{folder}: not one of the top-level folders"
        if folder.rpartition("/")[2] in NAMELESS:
            yield f"{folder}: a folder is named for what is in it"


def check_form(tree):
    for name, text in tree.texts.items():
        if text and not text.endswith("\n"):
            yield f"{name}: no newline at the end"
    for name, text in tree.code().items():
        if not text.startswith("//"):
            yield f"{name}: does not begin with a comment that says what it is for"
        if name.endswith(".h") and not re.search(r"^#pragma once$", text, re.MULTILINE):
            yield f"{name}: no #pragma once"


def check_arrows(tree):
    for name, text in tree.code().items():
        here = part_of(name)
        if here is None:
            yield f"{name}: belongs to no part of the house"
            continue
        for include in quoted(text):
            there = part_of(include)
            if include not in tree.files and not tree.generates(include):
                yield f'{name}: "{include}" is not a path from the root'
            elif here == "tests" or here == there:
                continue
            elif there not in ARROWS[here]:
                yield f'{name}: {here} may not include "{include}"'
            elif there == "pipeline" and here != "pipeline/training" and not include.startswith(PIPELINE_FACE):
                yield f'{name}: "{include}" is not part of what the pipeline shows'


def check_libraries(tree):
    for name, text in tree.code().items():
        here = part_of(name)
        for include in angled(text):
            library = library_of(include)
            if here == "schemas" and not STANDARD_HEADER.fullmatch(include):
                yield f"{name}: schemas knows the standard library only, not <{include}>"
            elif library and here != "tests" and not name.startswith(tuple(part + "/" for part in library[1])):
                yield f"{name}: only {', '.join(library[1])} may see {library[0]}, <{include}>"


def check_face(tree):
    """No public header of the pipeline reaches torch, directly or through other headers."""
    code = tree.code()
    for face in (name for name in code if name.endswith(".h") and name.startswith(PIPELINE_FACE)):
        seen, open_ = {face}, [(face,)]
        while open_:
            trail = open_.pop()
            text = code.get(trail[-1], "")
            for include in filter(TORCH.match, angled(text)):
                yield f"{face}: shows torch, by {' -> '.join(trail)} -> <{include}>"
            for include in set(quoted(text)) - seen:
                seen.add(include)
                open_.append(trail + (include,))


def check_links(tree):
    """The arrows of the include lines hold between CMake targets too."""
    makefiles = {name: text for name, text in tree.texts.items() if name.endswith("CMakeLists.txt")}
    home = {}
    for name, text in makefiles.items():
        for target in re.findall(r"add_library\(\s*(\w+)", text):
            home[target] = part_of(name)
    for name, text in makefiles.items():
        here = part_of(name)
        if here is None or here == "tests":
            continue
        for body in re.findall(r"target_link_libraries\(([^)]*)\)", text):
            for target in body.split()[1:]:
                there = home.get(target)
                if there and there != here and there not in ARROWS[here]:
                    yield f"{name}: {here} may not link {target} of {there}"


CHECKS = (check_folders, check_form, check_arrows, check_libraries, check_face, check_links)


def findings(root):
    tree = Tree(root)
    return [finding for check in CHECKS for finding in check(tree)]


def warnings(root):
    for name, text in Tree(root).code().items():
        lines = text.count("\n")
        if lines > LONGEST_FILE:
            yield f"{name}: {lines} lines; a file is one idea"


def main():
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: house_rules.py ROOT")
    for warning in warnings(sys.argv[1]):
        print("warning:", warning)
    found = findings(sys.argv[1])
    for finding in found:
        print(finding)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
