#!/usr/bin/env python3
"""Makes the documents that are derived from others; scripts/docs.sh runs it.

docs.py man FOLDER          writes the man pages, from include/queues.h
docs.py book FOLDER         writes the source of the site: docs/, other documents of the tree, and the
                            C reference, from include/queues.h
docs.py blocks FOLDER       writes every code block of the documents into a file of its own
docs.py links FOLDER        checks the links of a site that was built
"""

import html.parser
import os
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADER = ROOT / "include/queues.h"


def fail(message):
    sys.exit(f"docs: {message}")


# --- the header: a comment with the rules, then groups of documented declarations


class Item:
    """A declaration and its text."""

    def __init__(self, doc, code):
        self.doc = doc
        self.members = []
        code = [line for line in code if not re.match(r"\s*#(if|endif)|\s*: int32_t$", line)]
        if code[0].startswith("#define"):
            self.kind, self.name = "constant", code[0].split()[1]
            self.code = "\n".join(code)
            return
        text = "\n".join(re.sub(r"QUEUES_WARN_UNUSED\s*", "", line) for line in code).strip()
        self.code = re.sub(r"^\s*///.*\n", "", text, flags=re.M).replace("\n {", " {")
        call = re.search(r"(\w+)\s*\(", text)
        if re.match(r"(typedef )?(struct|enum) \w+\s*\{", self.code):
            self.kind = "structure"
            self.name = re.match(r"(?:typedef )?(?:struct|enum) (\w+)", text).group(1)
            self.find_members(code)
        elif text.startswith("typedef"):
            pointer = re.match(r"typedef .*\(\*(\w+)\)", text)
            self.kind = "type"
            self.name = pointer.group(1) if pointer else text.rstrip(";").split()[-1]
        elif call:
            self.kind, self.name = "function", call.group(1)
            # One line if it fits: the header breaks lines that the macro made long.
            self.code = unwrap(self.code)
        else:
            fail(f"{HEADER}: not understood: {text}")

    def find_members(self, code):
        doc = []
        for line in code[1:]:
            if line.strip().startswith("///"):
                doc.append(line.strip()[3:].strip())
            elif doc:
                self.members.append((line.strip().rstrip(",;"), " ".join(doc)))
                doc = []


def unwrap(code):
    """A function's declaration with one parameter a line, or on one line if that fits."""
    flat = re.sub(r"\s+", " ", code)
    if len(flat) <= 78:
        return flat
    head, arguments = flat.split("(", 1)
    indent = " " * (len(head) + 1)
    return head + "(" + (",\n" + indent).join(arguments.split(", "))


class Group:
    def __init__(self, name, title):
        self.name = name
        self.title = re.sub(r"^\d+\. ", "", title)
        self.items = []

    def of(self, *kinds):
        return [item for item in self.items if item.kind in kinds]


def parse():
    """The sections of the introduction, and the groups."""
    text = HEADER.read_text()
    intro = re.search(r"/\*\*\n(.*?)\*/", text, re.S)
    if not intro or "@defgroup" not in text:
        fail(f"{HEADER} has no sections with Doxygen comments")
    lines = [re.sub(r"^ \* ?", "", line) for line in intro.group(1).splitlines()]
    sections, current = {}, None
    for line in lines:
        if line.startswith("# "):
            current = sections.setdefault(line[2:], [])
        elif current is not None:
            current.append(line)
    groups, group, doc, code, hidden = [], None, [], [], False
    for line in text.splitlines():
        if code:
            code.append(line)
        elif line.startswith("/// @cond"):
            hidden = True
        elif line.startswith("/// @endcond"):
            hidden = False
        elif hidden or re.match(r"/// @[{}]", line):
            continue
        elif match := re.match(r"/// @defgroup (\w+) (.*)", line):
            group = Group(match.group(1), match.group(2))
            groups.append(group)
            continue
        elif group and line.startswith("///"):
            doc.append(line[4:])
            continue
        elif doc and line.strip():
            code = [line]
        else:
            doc = []
            continue
        if not code:
            continue
        joined = "\n".join(code)
        if joined.startswith("#define"):
            done = not line.endswith("\\")
        else:
            done = line.rstrip().endswith(";") and joined.count("{") == joined.count("}")
        if done:
            group.items.append(Item(doc, code))
            doc, code = [], []
    return sections, groups


def blocks_of(lines):
    """The paragraphs, tables, lists and indented code of a comment, each with its kind."""
    result = []

    def kind_of(line):
        if line.startswith("|"):
            return "table"
        if line.startswith("    "):
            return "code"
        if line.startswith("- "):
            return "list"
        if line.startswith("@return"):
            return "return"
        return "text"

    previous = ""
    for line in lines:
        kind = kind_of(line)
        if not line.strip():
            pass
        elif result and result[-1][0] == "list" and line.startswith("  "):
            result[-1][1][-1] += " " + line.strip()
        elif kind == "list" and result and result[-1][0] == "list":
            result[-1][1].append(line[2:])
        elif kind == "list":
            result.append(("list", [line[2:]]))
        elif kind == "text" and previous.strip() and result and result[-1][0] in ("text", "return"):
            result[-1][1][0] += " " + line.strip()
        elif kind in ("table", "code") and result and result[-1][0] == kind:
            result[-1][1].append(line)
        else:
            result.append((kind, [line if kind in ("table", "code") else line.strip()]))
        previous = line
    return result


def cells(row):
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


FAMILIES = ("mpmc", "spsc", "priority", "deque", "batch")
# Groups whose first item is what all functions of the group are about.
HANDLES = (*FAMILIES, "event")
# Groups with a man page of their own.
PAGED = (*HANDLES, "poll", "stats")
RULES = "Rules"

# --- the C reference: a page for each group

NAME = re.compile(r"(`[^`]*`)|\b(QUEUES_\w+|queues_\w+(?:\(\))?|[a-z]+(?:_[a-z]+)+)\b(\(\))?")


class Reference:
    def __init__(self):
        self.sections, self.groups = parse()
        self.page = {}
        for group in self.groups:
            for item in group.items:
                self.page[item.name] = f"{group.name}.md"
                if item.name == "queues_status":
                    for member, _ in item.members:
                        self.page[member.split(" ")[0]] = f"{group.name}.md"

    def verb(self, name):
        """The name of a function without that of its family. The search finds whole words only."""
        family = self.page[name].removesuffix(".md")
        return name.removeprefix(f"queues_{family}_") if family in HANDLES else name

    def prose(self, text, here=None):
        """Names as code; those of other functions and types as links."""

        def name(match):
            if match.group(1):
                return match.group(1)
            word = match.group(2).removesuffix("()")
            call = "()" if match.group(3) or match.group(2).endswith("()") else ""
            if call and word in self.page and self.page[word] != here:
                return f"[`{word}()`]({self.page[word]}#{self.verb(word)})"
            return f"`{word}{call}`"

        text = re.sub(r"\bdocs/(\w+)\.md\b", r"[\1](../\1.md)", text)
        parts = re.split(r"(\[\w+\]\([^)]*\))", text)
        return "".join(part if part.startswith("[") else NAME.sub(name, part) for part in parts)

    def markdown(self, lines, group=None):
        here = f"{group.name}.md" if group else None
        out = []
        for kind, body in blocks_of(lines):
            if kind == "table":
                out.append("\n".join(self.row(row, group) for row in body))
            elif kind == "code":
                out.append("```c\n" + textwrap.dedent("\n".join(body)) + "\n```")
            elif kind == "list":
                out.append("\n".join(f"- {self.prose(self.titled(item), here)}" for item in body))
            elif kind == "return":
                out.append("**Returns** " + self.prose(body[0].removeprefix("@return "), here))
            else:
                out.append(self.prose(body[0], here))
        return "\n\n".join(out)

    @staticmethod
    def titled(item):
        """A rule begins with its name."""
        return re.sub(r"^([A-Z][\w ]*?(?: \([^)]*\))?)([:.]) ", r"**\1**\2 ", item)

    def row(self, row, group):
        if set(row) <= set("|-: ") or not group:
            return row
        first, *rest = cells(row)
        linked = []
        for verb in first.split(", "):
            function = f"queues_{group.name}_{verb}"
            linked.append(f"[`{verb}`](#{verb})" if function in self.page else verb)
        return "| " + " | ".join([", ".join(linked), *(self.prose(cell) for cell in rest)]) + " |"

    def write(self, folder):
        folder.mkdir(parents=True)
        chapters = ["- [C](reference/index.md)"]
        index = [
            "# C reference",
            "Every function, type and constant of `queues.h`, made from that header's comments. The",
            "rules on this page hold for all functions.",
            "",
            "| page | what it has |",
            "|---|---|",
        ]
        for group in self.groups:
            title = group.title if ":" in group.title else group.title.lower()
            chapters.append(f"  - [{title.split(':')[0]}](reference/{group.name}.md)")
            number = len(group.of("function"))
            about = title.split(": ")[1] + "; " if ": " in title else ""
            count = f"{number} functions" if number != 1 else "1 function"
            if number == 0:
                count = ", ".join(f"`{item.name}`" for item in group.items)
            index.append(f"| [{title.split(':')[0]}]({group.name}.md) | {about}{count} |")
            (folder / f"{group.name}.md").write_text(self.group(group))
        for title, lines in self.sections.items():
            index += ["", f"## {title}", "", self.markdown(lines)]
        (folder / "index.md").write_text("\n".join(index) + "\n")
        return chapters

    def group(self, group):
        family = group.name in HANDLES
        out = [f"# {group.title}"]
        items = list(group.items)
        if family:
            opaque = items.pop(0)
            verbs = [item.name for item in group.of("function")]
            options = ", its options" if group.of("structure") else ""
            out.append(
                f"The {len(verbs)} functions of this family{options} and its guarantees. The handle is a "
                f"`{opaque.name} *`. The [rules](index.md#rules) hold for all functions."
            )
            out.append(self.markdown(opaque.doc, group))
        else:
            about = {
                "version": "How a program learns which version of the library it was built for and runs with.",
                "status": "What each status means, and how to print one.",
                "callbacks": "What a drop callback gets and may do. The [guide](../guide/ownership.md) shows one.",
                "stats": "The counters of a queue, and their text for logs and for Prometheus. The "
                "[guide](../guide/statistics.md) shows how to read them.",
                "poll": "One call that waits for any number of queues and events, of any family. The "
                "[guide](../guide/event-loops.md) shows when to use it.",
            }
            out.append(about.get(group.name, "Everything in this section of `queues.h`."))
        for item in items:
            out.append(f"## `{item.name}`" if item.kind != "function" else f"## {self.verb(item.name)}")
            code = item.code
            if item.kind == "function" and "\n" in code:
                # A parameter a line fits a telephone.
                head, arguments = code.removesuffix(");").split("(", 1)
                code = f"{head}(\n    " + re.sub(r",\n *", ",\n    ", arguments) + "\n);"
            out.append(f"```c\n{code}\n```")
            out.append(self.markdown(item.doc, group))
            if item.members:
                value = "value" if item.code.startswith("enum") else "field"
                rows = [f"| {value} | what it is |", "|---|---|"]
                rows += [f"| `{member}` | {self.prose(doc)} |" for member, doc in item.members]
                out.append("\n".join(rows))
        return "\n\n".join(part for part in out if part) + "\n"


# --- man pages


def roff(text):
    """Text for a line that is not a request."""
    text = text.replace("\\", "\\e").replace("`", "")
    text = "".join(c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in text)
    text = re.sub(r"\b(QUEUES_\w+|NULL|[a-z]+(?:_[a-z]+)+(?:\(\))?)", r"\\fB\1\\fP", text)
    return re.sub(r"(?m)^(?=[.'])", r"\\&", text)


def roff_code(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^(?=[.'])", r"\\&", text)


def filled(text):
    """A sentence a line would be better still; lines of bounded length are enough."""
    return "\n".join(textwrap.wrap(text, 90, break_long_words=False, break_on_hyphens=False))


class Man:
    def __init__(self, name, section, summary, version):
        self.out = [
            '.\\" Generated from include/queues.h by `make man`.',
            f'.TH {name} {section} @DATE@ "queues {version}" "queues"',
            ".SH NAME",
            summary,
        ]

    def head(self, title):
        self.out.append(f".SH {title}")

    def begin(self):
        """Begins a paragraph; a heading has begun one already."""
        if not self.out[-1].startswith((".SH", ".SS")):
            self.out.append(".PP")

    def paragraph(self, text):
        self.begin()
        self.out.append(roff(filled(text)))

    def entry(self, title, text):
        self.out += [".TP", f".B {roff_code(title)}", roff(filled(text))]

    def code(self, text):
        self.begin()
        self.out += [".nf", ".RS 4", roff_code(text), ".RE", ".fi"]

    def body(self, lines):
        """The text of a comment, after its title or as paragraphs."""
        for kind, body in blocks_of(lines):
            if kind == "table":
                for row in body[2:]:
                    first, threads, progress = cells(row)
                    self.out += [".TP", f".B {roff_code(first)}", roff(f"{threads}; {progress}")]
            elif kind == "code":
                self.code(textwrap.dedent("\n".join(body)))
            elif kind == "list":
                for item in body:
                    self.out += [".IP \\(bu 3", roff(filled(item))]
            elif kind == "return":
                self.paragraph("Returns " + body[0].removeprefix("@return "))
            else:
                self.paragraph(body[0])

    def members(self, item):
        for member, doc in item.members:
            self.entry(member, doc)

    def item(self, item):
        """A subsection: its declaration and its text."""
        self.out.append(f".SS {item.name}")
        self.out += [".nf", f"\\fB{roff_code(item.code)}\\fP", ".fi"]
        self.body(item.doc)
        self.members(item)

    def write(self, path):
        """The date is that of the last change: a page that is otherwise the same keeps its date."""
        text = "\n".join(self.out) + "\n"
        checked_in = ROOT / "docs/man" / path.name
        old = checked_in.read_text() if checked_in.exists() else ""
        dated = re.search(r"^\.TH \S+ \d (\S+)", old, re.M)
        if not dated or text.replace("@DATE@", dated.group(1)) != old:
            seconds = float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
            text = text.replace("@DATE@", time.strftime("%Y-%m-%d", time.gmtime(seconds)))
        else:
            text = old
        path.write_text(text)


def write_man(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sections, groups = parse()
    by_name = {group.name: group for group in groups}
    manifest = (ROOT / "Cargo.toml").read_text()
    version = re.search(r'^version = "(.*)"', manifest, re.M).group(1)
    others = [f"queues_{name}(3)" for name in PAGED]

    def see_also(page, own):
        page.head('"SEE ALSO"')
        names = [name for name in ["queues(7)", *others] if name != own]
        page.out.append(",\n".join(re.sub(r"(\w+)\((\d)\)", r".BR \1 (\2)", n) for n in names).replace(",\n", " ,\n"))

    def summary(names, text):
        return textwrap.fill(", ".join(names), 90, break_long_words=False) + f"\n\\- {text}"

    page = Man("queues", 7, "queues \\- bounded concurrent queues for C and C++", version)
    page.head("SYNOPSIS")
    page.out += [".nf", ".B #include <queues.h>", ".fi", ".PP"]
    page.out.append(".B cc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs queues) \\-pthread")
    page.head("DESCRIPTION")
    page.paragraph("Five families of queues, and events, each with functions named queues_FAMILY_VERB():")
    for name in HANDLES:
        page.out += [".TP", f".BR queues_{name} (3)", roff(by_name[name].title.split(": ")[1])]
    for title, lines in sections.items():
        page.head(f'"{title.upper()}"')
        page.body(lines)
    for name in ("status", "version", "callbacks"):
        page.head(f'"{by_name[name].title.upper()}"')
        for item in by_name[name].items:
            if item.name != "queues_status_t":
                page.item(item)
    see_also(page, "queues(7)")
    page.write(folder / "queues.7")

    for name in PAGED:
        group = by_name[name]
        functions = [item.name for item in group.of("function")]
        about = group.title.split(": ")[-1]
        if name in FAMILIES:
            about = "bounded queue: " + about
        elif name == "stats":
            about = "statistics of queues"
        names = dict.fromkeys([f"queues_{name}", *functions])
        page = Man(f"queues_{name}", 3, summary(names, about), version)
        page.head("SYNOPSIS")
        page.out += [".nf", ".B #include <queues.h>", ".fi", ".PP", ".B pkg\\-config \\-\\-cflags \\-\\-libs queues"]
        items = list(group.items)
        page.head("DESCRIPTION")
        if name in HANDLES:
            page.body(items.pop(0).doc)
        elif name == "stats":
            page.paragraph("Counters of every queue, and two text formats for them.")
        page.paragraph("The rules in queues(7) hold for all functions.")
        for title, kinds in [("TYPES AND CONSTANTS", ("constant", "structure", "type")), ("FUNCTIONS", ("function",))]:
            of_kinds = [item for item in items if item.kind in kinds]
            if of_kinds:
                page.head(f'"{title}"')
            for item in of_kinds:
                page.item(item)
        see_also(page, f"queues_{name}(3)")
        page.write(folder / f"queues_{name}.3")


# --- the source of the site

# Documents outside of docs/ that are pages of the site.
PAGES = {
    "README.md": "index.md",
    "include/queues.h": "reference/index.md",
    "bindings/cpp/README.md": "cpp/binding.md",
    "bindings/go/README.md": "go/binding.md",
    "ARCHITECTURE.md": "project/architecture.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "PACKAGING.md": "project/packaging.md",
    "SECURITY.md": "project/security.md",
    "THIRD-PARTY.md": "project/third-party.md",
}


def outside_fences(text, change):
    """Changes the text between code blocks. A link may go over the end of a line."""
    out, prose, fence = [], [], None
    for line in text.splitlines():
        mark = re.match(r" *(```+|~~~+)", line)
        if fence:
            out.append(line)
            if mark and mark.group(1).startswith(fence) and line.strip() == mark.group(1):
                fence = None
        elif mark:
            out += [change("\n".join(prose)), line] if prose else [line]
            prose, fence = [], mark.group(1)
        else:
            prose.append(line)
    out += [change("\n".join(prose))] if prose else []
    return "\n".join(out) + "\n"


class Book:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.source = self.folder / "src"
        self.tracked = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "docs"],
            cwd=ROOT, capture_output=True, text=True,
        ).stdout.split() or [str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*") if p.is_file()]
        self.tracked = [path for path in self.tracked if (ROOT / path).is_file()]

    def place(self, path):
        """Where a file of the tree is in the book; None if it is not."""
        if path in PAGES and (ROOT / path).exists():
            return PAGES[path]
        if path.startswith("docs/") and (ROOT / path).is_file():
            return path.removeprefix("docs/")
        if (ROOT / path).is_file():
            # As text, so that a browser shows it.
            place = f"files/{path}.txt" if not re.search(r"\.(svg|png|html)$", path) else f"files/{path}"
            target = self.source / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, target)
            return place
        return None

    def page(self, path):
        """Copies a document, with its relative links adapted to its place in the book."""
        place = self.place(path)
        target = self.source / place

        def link(match):
            text, address = match.groups()
            if address is None:  # code, which may look like a link
                return match.group(0)
            url = urllib.parse.urlsplit(address)
            if url.scheme or not url.path:
                return match.group(0)
            linked = os.path.normpath(os.path.join(os.path.dirname(path), url.path))
            to = self.place(linked)
            if not to:
                return text
            relative = os.path.relpath(to, os.path.dirname(place) or ".")
            return f"[{text}]({relative}{'#' + url.fragment if url.fragment else ''})"

        def links(text):
            code = r"``[^`]+(?:`[^`]+)*``|`[^`]+`"
            return re.sub(rf"{code}|\[((?:{code}|[^\[\]`]|\[[^\]]*\])*)\]\(([^)\s]+)\)", link, text)

        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(outside_fences((ROOT / path).read_text(), links))

    def write(self):
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.source.mkdir(parents=True)
        for path in self.tracked:
            if path.startswith("docs/man/") or path in ("docs/book.toml", "docs/site.css"):
                continue
            if path.endswith(".md"):
                self.page(path)
            else:
                target = self.source / path.removeprefix("docs/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / path, target)
        for path in PAGES:
            if path.endswith(".md") and path != "README.md" and (ROOT / path).exists():
                self.page(path)
        for name in ("book.toml", "site.css"):
            shutil.copyfile(ROOT / "docs" / name, self.folder / name)
        chapters = Reference().write(self.source / "reference")
        go = self.go()
        chapters += [
            "- [C++](cpp/binding.md)",
            "- [Go](go/binding.md)",
            *(["  - [All of package queues](go/reference.md)"] if go else []),
            "- [C++ and Rust: all names](reference/bindings.md)",
        ]
        (self.source / "reference/bindings.md").write_text(BINDINGS)
        summary = (self.source / "SUMMARY.md").read_text()
        project = [
            f"- [{title}]({PAGES[path]})"
            for path, title in [
                ("ARCHITECTURE.md", "Architecture"),
                ("CONTRIBUTING.md", "Contributing"),
                ("PACKAGING.md", "Packages"),
                ("SECURITY.md", "Security"),
                ("THIRD-PARTY.md", "Third-party notices"),
                ("CHANGELOG.md", "Changes"),
            ]
            if (ROOT / path).exists()
        ]
        decisions = sorted(p for p in self.tracked if p.startswith("docs/decisions/0"))
        listed = []
        for path in decisions:
            title = (ROOT / path).read_text().splitlines()[0].lstrip("# ").strip()
            listed.append(f"  - [{title}]({path.removeprefix('docs/')})")
        for marker, lines in [("reference", chapters), ("project", project), ("decisions", listed)]:
            if f"<!-- {marker} -->" not in summary:
                fail(f"docs/SUMMARY.md has no line <!-- {marker} -->")
            summary = summary.replace(f"<!-- {marker} -->", "\n".join(lines))
        (self.source / "SUMMARY.md").write_text(summary)

    def go(self):
        """The page of the Go package, from `go doc`; without Go there is none."""
        go = shutil.which(os.environ.get("GO", "go"))
        if not go:
            print("docs: go is missing: the site has no page of the Go package", file=sys.stderr)
            return False
        run = subprocess.run([go, "doc", "-all", "."], cwd=ROOT / "bindings/go", capture_output=True, text=True)
        if run.returncode != 0:
            fail(f"go doc: {run.stderr.strip()}")
        out, code, text = [], [], []

        def flush():
            if code and any(line.strip() for line in code):
                first = next(line for line in code if line.strip())
                match = re.match(r"(?:func (?:\(\w+ \*?(\w+)[^)]*\) )?|type )(\w+)", first)
                if match:
                    level = "##" if first.startswith("type") else "###"
                    title = ".".join(part for part in match.groups() if part)
                    out.append(f"{level} {title}\n")
                out.append("```go\n" + "\n".join(code).strip("\n") + "\n```\n")
                code.clear()
            if text:
                paragraphs = textwrap.dedent("\n".join(text)).strip("\n")
                out.append(escape_go(paragraphs) + "\n")
                text.clear()

        depth = 0
        lines = run.stdout.splitlines()[1:]
        for line in lines:
            if depth == 0 and re.match(r"[A-Z]+$", line):
                flush()
            elif depth > 0 or re.match(r"(func|type|const|var) |\)|\}", line):
                if text or (code and depth == 0 and re.match(r"(func|type|const|var) ", line)):
                    flush()
                code.append(line)
                depth += line.count("{") + line.count("(") - line.count("}") - line.count(")")
            else:
                if code and line.strip():
                    # The comment of the declaration above.
                    pending = list(code)
                    code.clear()
                    code.extend(pending)
                    flush()
                text.append(line)
        flush()
        target = self.source / "go/reference.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        head = (
            "# Package queues\n\nEvery exported name of the Go package, as `go doc -all` prints it. "
            "The [introduction](binding.md) shows how to use them.\n\n"
        )
        target.write_text(head + "\n".join(out))
        return True


def escape_go(text):
    """go doc's plain text as Markdown: indented lines are code, brackets name other identifiers."""
    out = []
    for paragraph in re.split(r"\n\s*\n", text):
        if all(line.startswith("    ") for line in paragraph.splitlines()):
            out.append("```text\n" + textwrap.dedent(paragraph) + "\n```")
        elif re.match(r"\s*- ", paragraph):
            out.append(textwrap.dedent(paragraph))
        else:
            paragraph = re.sub(r"\[([\w.*]+)\]", r"`\1`", paragraph)
            out.append(re.sub(r"^# ", "#### ", paragraph.replace("<", "&lt;").replace("*", "\\*")))
    return "\n\n".join(out)


BINDINGS = """# C++ and Rust: all names

The complete references of two bindings, made from their sources by their own tools. They are part
of this site and work offline.

| language | reference | introduction |
|---|---|---|
| C++ | [every class](../cpp/reference/annotated.html), by Doxygen; what all have: [push](../cpp/reference/classqueues_1_1detail_1_1push__mixin.html), [pop](../cpp/reference/classqueues_1_1detail_1_1pop__mixin.html), [close and size](../cpp/reference/classqueues_1_1detail_1_1closable__queue.html) | [C++](../cpp/binding.md) |
| Rust | [crate `queues`](../rust/queues/index.html), by `cargo doc` | the crate's first page |
| Go | [package `queues`](../go/reference.md), by `go doc` | [Go](../go/binding.md) |
| C | [header `queues.h`](index.md) | the [guide](../guide/choosing.md) |

`man queues` and `man queues_mpmc` show the C reference in a terminal.
"""

# --- the code blocks

FILES = {"c": "c", "cpp": "cpp", "go": "go", "rust": "rs", "python": "py", "sh": "sh"}


def write_blocks(folder):
    """FOLDER/LANGUAGE/PAGE-LINE.EXTENSION; a Go file has a folder of its own."""
    folder = pathlib.Path(folder)
    pages = sorted([*(ROOT / "docs").rglob("*.md"), *(ROOT / "bindings").glob("*/README.md")])
    number = 0
    for page in pages:
        lines = page.read_text().splitlines()
        start = language = None
        for index, line in enumerate(lines):
            if start is None and (match := re.match(r"```(\S*)", line)):
                start, language = index + 1, match.group(1)
            elif start is not None and line == "```":
                if language in FILES:
                    name = str(page.relative_to(ROOT))[:-3].replace("/", "-") + f"-{start}"
                    target = folder / language / f"{name}.{FILES[language]}"
                    if language == "go":
                        target = folder / "go" / name.replace("-", "_") / "block.go"
                    target.parent.mkdir(parents=True, exist_ok=True)
                    # A message of the compiler names the page and the line.
                    where = f'#line {start + 1} "{page.relative_to(ROOT)}"\n' if language in ("c", "cpp") else ""
                    target.write_text(where + "\n".join(lines[start:index]) + "\n")
                    number += 1
                start = None
    if number == 0:
        fail("docs/ has no code blocks")


# --- the links of a built site


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.names = [], set()

    def handle_starttag(self, tag, attributes):
        for key, value in attributes:
            if key in ("href", "src") and value is not None:
                self.links.append(value)
            elif key in ("id", "name") and value:
                self.names.add(value)


def check_links(folder):
    folder = pathlib.Path(folder).resolve()
    pages = {}

    def read(path):
        if path not in pages:
            pages[path] = Links()
            pages[path].feed(path.read_text(errors="replace"))
        return pages[path]

    found = 0
    # The pages of Doxygen and rustdoc are their tools' concern; links into them are ours.
    foreign = ("cpp/reference/", "rust/")
    for path in sorted(folder.rglob("*.html")):
        name = str(path.relative_to(folder))
        if name.startswith(foreign) or name in ("404.html", "toc.html"):
            continue
        for link in read(path).links:
            url = urllib.parse.urlsplit(link)
            if url.scheme in ("http", "https", "mailto", "data", "javascript"):
                continue
            target = path if not url.path else (path.parent / urllib.parse.unquote(url.path))
            target = pathlib.Path(os.path.normpath(target))
            if target.is_dir():
                target /= "index.html"
            problem = None
            if not target.exists() or folder not in (target, *target.parents):
                problem = "no such file"
            elif url.fragment and target.suffix == ".html":
                if urllib.parse.unquote(url.fragment) not in read(target).names:
                    problem = "no such heading"
            if problem:
                print(f"{name}: {problem}: {link}", file=sys.stderr)
                found += 1
    print(f"links: {len(pages)} pages, {found} broken links")
    return 1 if found else 0


def main():
    commands = {"man": write_man, "book": lambda f: Book(f).write(), "blocks": write_blocks, "links": check_links}
    if len(sys.argv) != 3 or sys.argv[1] not in commands:
        print("usage: docs.py man|book|blocks|links FOLDER", file=sys.stderr)
        return 2
    return commands[sys.argv[1]](sys.argv[2])


if __name__ == "__main__":
    sys.exit(main())
