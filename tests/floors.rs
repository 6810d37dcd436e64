//! Each room of `src/` uses rooms of lower floors only, and the floors are those that
//! ARCHITECTURE.md draws. Atomics and the kernel are behind the door of `sync`, and the C ABI is in
//! `ffi`.
//!
//! The sources are read as tokens, without comments, strings and tests: every `use` and every path
//! that begins with `crate`, `self`, `super` or the name of an outer crate.

use std::collections::BTreeMap;
use std::path::Path;

/// A token and its line. A string is one token, a quotation mark.
type Token<'a> = (&'a str, usize);

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The length of a comment, string or character at the start, and whether it is a string.
fn literal(text: &str) -> Option<(usize, bool)> {
    let until = |text: &str, end: &str| text.find(end).map_or(text.len(), |at| at + end.len());
    if text.starts_with("//") {
        return Some((until(text, "\n") - 1, false));
    }
    if text.starts_with("/*") {
        let (mut at, mut depth) = (2, 1);
        while depth > 0 {
            match text.get(at..at + 2) {
                Some("/*") => (at, depth) = (at + 2, depth + 1),
                Some("*/") => (at, depth) = (at + 2, depth - 1),
                _ => at += 1,
            }
        }
        return Some((at, false));
    }
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        text.strip_prefix(prefix).is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
    });
    if let Some(prefix) = prefix {
        let hashes = text[prefix.len()..].find('"').unwrap();
        let start = prefix.len() + hashes + 1;
        if prefix.ends_with('r') {
            return Some((start + until(&text[start..], &format!("\"{:#<hashes$}", "")), true));
        }
        let mut escaped = false;
        let ends = |c: char| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        };
        return (hashes == 0).then(|| (start + text[start..].find(ends).unwrap() + 1, true));
    }
    // Not a lifetime.
    let character = text.strip_prefix('\'')?;
    let first = character.chars().next()?;
    let len = if first == '\\' { 2 + until(&character[2..], "'") } else { first.len_utf8() + 1 };
    (first == '\\' || character[first.len_utf8()..].starts_with('\'')).then_some((1 + len, false))
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while let Some(next) = text[at..].chars().next() {
        let rest = &text[at..];
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let (len, token) = match literal(rest) {
            Some((len, true)) => (len, Some("\"")),
            Some((len, false)) => (len, None),
            None if next.is_whitespace() => (next.len_utf8(), None),
            None if is_part(next) => {
                let len = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                (len, Some(&rest[..len]))
            }
            None if rest.starts_with("::") => (2, Some("::")),
            None => (next.len_utf8(), Some(&rest[..next.len_utf8()])),
        };
        tokens.extend(token.map(|token| (token, line)));
        line += rest[..len].matches('\n').count();
        at += len;
    }
    tokens
}

/// Where the bracket at `open` is closed.
fn closed(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (at, (token, _)) in tokens.iter().enumerate().skip(open) {
        match *token {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    panic!("a bracket of line {} is never closed", tokens[open].1);
}

/// Leaves out what only tests compile.
fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let begins = |words: &[&str]| {
            tokens[at..].iter().map(|(token, _)| *token).take(words.len()).eq(words.iter().copied())
        };
        if begins(&["#", "[", "cfg", "(", "test", ")"])
            || begins(&["#", "[", "cfg", "(", "all", "(", "test"])
        {
            at = closed(tokens, at + 1) + 1;
            // The item ends with a semicolon or a block.
            while !matches!(tokens[at].0, ";" | "{") {
                at = if matches!(tokens[at].0, "(" | "[") { closed(tokens, at) } else { at } + 1;
            }
            at = closed(tokens, at) + 1;
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    kept
}

/// Reads the path at `at`, and each path of a `use` with braces, behind `prefix`; returns where it
/// ends.
fn read_path<'a>(
    tokens: &[Token<'a>],
    mut at: usize,
    prefix: &[&'a str],
    found: &mut Vec<(Vec<&'a str>, usize)>,
) -> usize {
    let (mut path, line) = (prefix.to_vec(), tokens[at].1);
    loop {
        let (token, _) = tokens[at];
        if token == "{" {
            let end = closed(tokens, at);
            at += 1;
            while at < end {
                at = read_path(tokens, at, &path, found);
                while at < end && tokens[at].0 != "," {
                    at += 1; // as another name
                }
                at += 1;
            }
            return end + 1;
        }
        if !is_word(token) && token != "*" {
            break;
        }
        // `self` in braces is what they belong to.
        if token != "self" || path.is_empty() {
            path.push(token);
        }
        at += 1;
        if tokens.get(at).is_none_or(|(token, _)| *token != "::") {
            break;
        }
        at += 1;
    }
    found.push((path, line));
    at
}

/// A path that a source names, from the root of its crate, and the line.
#[derive(Debug, PartialEq)]
struct Named {
    path: String,
    line: usize,
}

/// Every path in the source of the module: those of this crate begin with `crate`.
fn named(module: &[&str], tokens: &[Token]) -> Vec<Named> {
    let mut all = Vec::new();
    let mut module: Vec<&str> = module.to_vec();
    let mut inner = Vec::new();
    let (mut depth, mut at) = (0, 0);
    while at < tokens.len() {
        let (token, _) = tokens[at];
        let next = |n: usize| tokens.get(at + n).map_or("", |(token, _)| *token);
        if token == "mod" && next(2) == "{" {
            module.push(next(1));
            inner.push(depth);
        }
        depth += i32::from(token == "{") - i32::from(token == "}");
        if token == "}" && inner.last() == Some(&depth) {
            inner.pop();
            module.pop();
        }
        let begins = at == 0 || !matches!(tokens[at - 1].0, "::" | ".");
        if !(begins && is_word(token) && next(1) == "::") {
            at += 1;
            continue;
        }
        let mut found = Vec::new();
        at = read_path(tokens, at, &[], &mut found);
        for (path, line) in found {
            let up = path.iter().take_while(|word| **word == "super").count();
            let own = &module[..module.len().checked_sub(up).expect("a module above")];
            let path = match path[0] {
                "super" => ["crate"].iter().chain(own).chain(&path[up..]).copied().collect(),
                "self" => ["crate"].iter().chain(own).chain(&path[1..]).copied().collect(),
                _ => path,
            };
            all.push(Named { path: path.join("::"), line });
        }
    }
    all
}

/// The floors of ARCHITECTURE.md, the lowest first.
fn floors(document: &str) -> Vec<Vec<&str>> {
    let (_, section) = document.split_once("\n## Floors\n").expect("a section named Floors");
    let section = section.split("\n## ").next().unwrap();
    let block = section.split("```").nth(1).expect("a block of floors");
    let floors = block.trim().lines().rev();
    floors.map(|floor| floor.split('|').map(str::trim).collect()).collect()
}

/// What the crate root exports, and the room that it comes from.
fn exports<'a>(root: &[Token<'a>]) -> BTreeMap<&'a str, &'a str> {
    let mut found = Vec::new();
    for (at, (token, _)) in root.iter().enumerate() {
        if *token == "use" {
            read_path(root, at + 1, &[], &mut found);
        }
    }
    found.iter().map(|(path, _)| (*path.last().unwrap(), path[0])).collect()
}

/// What stands behind the door of `sync`.
const BEHIND_SYNC: [&str; 8] = [
    "core::sync::atomic",
    "std::sync::atomic",
    "std::thread::park",
    "std::thread::park_timeout",
    "std::thread::sleep",
    "libc::syscall",
    "loom",
    "parking_lot_core",
];

/// Why the source breaks the rules, a line each.
fn violations(
    file: &str,
    text: &str,
    floors: &[Vec<&str>],
    exports: &BTreeMap<&str, &str>,
) -> Vec<String> {
    let module = file.trim_start_matches("src/").trim_end_matches(".rs");
    let module: Vec<&str> = module.split('/').collect();
    let room = module[0];
    let floor_of = |room: &str| floors.iter().position(|floor| floor.contains(&room));
    let Some(floor) = floor_of(room) else {
        return vec![format!("{file}:1: the room {room} is on no floor of ARCHITECTURE.md")];
    };
    let tokens = without_tests(&tokens(text));
    let mut broken = Vec::new();
    for Named { path, line } in named(&module, &tokens) {
        let mut refuse = |why: String| broken.push(format!("{file}:{line}: {why}"));
        if let Some(within) = path.strip_prefix("crate::") {
            let name = within.split("::").next().unwrap();
            let used = exports.get(name).copied().unwrap_or(name);
            match floor_of(used) {
                None => refuse(format!("{path} is in no room of ARCHITECTURE.md")),
                Some(other) if other > floor => {
                    refuse(format!("{room} uses {path}, but {used} stands above it"));
                }
                Some(other) if other == floor && used != room => {
                    refuse(format!("{room} uses {path}, but {used} stands beside it"));
                }
                Some(_) => {}
            }
        } else {
            let is_within = |door: &&str| {
                path.strip_prefix(*door).is_some_and(|r| r.is_empty() || r.starts_with("::"))
            };
            if room != "sync" && BEHIND_SYNC.iter().any(is_within) {
                refuse(format!("{room} uses {path}, which only sync may"));
            }
        }
    }
    for (at, (token, line)) in tokens.iter().enumerate() {
        let next = |n: usize| tokens.get(at + n).map_or("", |(token, _)| *token);
        // A block declares what the system has; that is the other side of the door.
        let is_allowed = match room {
            "ffi" | "payload" => true,
            "sync" => next(2) == "{",
            // What the system calls, in the child of a fork.
            "shared" => next(2) == "fn" && tokens[at.saturating_sub(1)].0 != "pub",
            _ => false,
        };
        if *token == "extern" && next(1) == "\"" && !is_allowed {
            broken.push(format!("{file}:{line}: {room} has a C function, which only ffi may"));
        }
    }
    broken
}

fn walk(directory: &Path, found: &mut Vec<(String, String)>, root: &Path) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found, root);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            found.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn every_room_uses_lower_floors_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let floors = floors(&document);
    let mut sources = Vec::new();
    walk(&root.join("src"), &mut sources, root);
    sources.sort();
    let (_, root_text) = sources.iter().find(|(name, _)| name == "src/lib.rs").unwrap();
    let root_tokens = without_tests(&tokens(root_text));
    let exports = exports(&root_tokens);
    for room in floors.iter().flatten() {
        let file = format!("src/{room}.rs");
        assert!(sources.iter().any(|(name, _)| *name == file), "{room} is a floor without a room");
    }
    // Programs use the library from outside.
    let broken = sources
        .iter()
        .filter(|(name, _)| name != "src/lib.rs" && !name.starts_with("src/bin/"))
        .flat_map(|(name, text)| violations(name, text, &floors, &exports));
    let broken: Vec<String> = broken.collect();
    assert!(broken.is_empty(), "rooms use what they may not:\n{}", broken.join("\n"));
}

/// The reader finds what it has to find, and nothing in comments, strings and tests.
#[test]
fn the_reader_finds_every_violation() {
    let floors =
        floors("x\n## Floors\n\n```\ntyped | ffi\nqueue\nsync\n```\n\n## Next\n```\n```\n");
    assert_eq!(floors, [vec!["sync"], vec!["queue"], vec!["typed", "ffi"]]);
    let root = tokens("pub use typed::{Mpmc, spsc as pair}; pub use queue::Error;");
    let exports = exports(&root);
    let lines = |file: &str, text: &str| -> Vec<usize> {
        let broken = violations(file, text, &floors, &exports);
        let line = |why: &String| why.split(':').nth(1).unwrap().parse().unwrap();
        broken.iter().map(line).collect()
    };

    let fine = "
        use crate::sync::{AtomicU64, site}; // use crate::typed::Mpmc;
        /* use crate::ffi::x; /* and */ use crate::typed::y; */
        use super::ring::{self, Ring as R}; const S: &str = \"use crate::typed::Mpmc;\";
        const T: &str = r#\"\" crate::typed::Mpmc\"#; const Q: [char; 3] = ['\"', '\\'', 'x'];
        fn f<'a>(x: &'a u8) -> crate::Error { self::inner::g(core::mem::take(x)) }
        mod inner { use super::super::mpmc::Direct; use super::R; }
        #[cfg(test)]
        mod tests { use crate::typed::Mpmc; fn t() { crate::ffi::x() } }
        #[cfg(all(test, not(loom)))] use crate::typed::Mpmc;
        #[cfg(test)] fn t() -> [u8; 1] { crate::ffi::x() }
    ";
    assert_eq!(lines("src/queue/spsc.rs", fine), []);
    let above = "use crate::{sync::site,\n typed::{self, Mpmc}};\nfn f() { crate::ffi::x() }\n
        mod a { mod b { use super::super::super::super::typed::Mpmc; } }\nuse crate::Mpmc;";
    assert_eq!(lines("src/queue/spsc.rs", above), [2, 2, 3, 5, 6]);
    assert_eq!(lines("src/typed/mpmc.rs", "use crate::queue::x; use crate::ffi::y;"), [1]);
    assert_eq!(lines("src/typed.rs", "use super::queue::x;\nuse super::ffi;"), [2]);
    assert_eq!(lines("src/cellar.rs", ""), [1]);
    assert_eq!(lines("src/queue.rs", "use crate::cellar::x;"), [1]);

    let door = "use core::sync::{self, atomic::AtomicBool};\nfn f() { libc::syscall(1) }
        use std::sync::{Arc, atomic};\nuse core::sync::atomics;\nstd::thread::park();";
    assert_eq!(lines("src/queue.rs", door), [1, 2, 3, 5]);
    assert_eq!(lines("src/sync/park.rs", door), []);
    let c = "unsafe extern \"C\" { fn x(); }\nextern \"C\" fn f() {}";
    assert_eq!(lines("src/queue.rs", c), [1, 2]);
    assert_eq!(lines("src/sync/park.rs", c), [2]);
    assert_eq!(lines("src/ffi/mpmc.rs", c), []);
}
