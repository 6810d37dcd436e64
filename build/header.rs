//! Generates the C header into OUT_DIR. `make header` copies it to `include/queues.h`, and a test
//! compares the two.
//!
//! `src/ffi/queues.h.in` is the header with marks: `@FILE@` stands for all declarations that cbindgen
//! makes of a source file, `@FILE KIND@` for those of one kind.

use super::variable;
use cbindgen::{Builder, Config, ItemType, Style};
use std::{fs, path::Path};

/// The kinds of declarations, in the order in which those of a file are written.
const KINDS: [(&str, &[ItemType]); 5] = [
    ("handles", &[ItemType::OpaqueItems]),
    ("constants", &[ItemType::Constants]),
    ("enums", &[ItemType::Enums]),
    ("types", &[ItemType::Structs, ItemType::Typedefs]),
    ("functions", &[ItemType::Functions]),
];

/// The name of the enum of statuses in C, and where the language has it, its underlying type.
const STATUS: &str = "queues_status
#if defined(__cplusplus) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L)
    : int32_t
#endif
";

pub fn generate() {
    let ffi = Path::new(&variable("CARGO_MANIFEST_DIR")).join("src/ffi");
    println!("cargo:rerun-if-changed=src/ffi");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    let config = Config::from_file("cbindgen.toml").unwrap();
    let template = fs::read_to_string(ffi.join("queues.h.in")).unwrap();
    let mut header = String::new();
    for line in template.lines() {
        match line.strip_prefix('@').and_then(|line| line.strip_suffix('@')) {
            Some(mark) => header += &declarations(&config, &ffi, mark),
            None => header += &with_values(line),
        }
        header += "\n";
    }
    let header_path = Path::new(&variable("OUT_DIR")).join("queues.h");
    fs::write(&header_path, header).unwrap();
    // Tests compare it with the one that is checked in.
    println!("cargo:rustc-env=QUEUES_GENERATED_HEADER={}", header_path.display());
}

/// A line of the template with the values of the package in the places of their marks.
fn with_values(line: &str) -> String {
    let values = [
        ("@license@", "CARGO_PKG_LICENSE"),
        ("@version@", "CARGO_PKG_VERSION"),
        ("@major@", "CARGO_PKG_VERSION_MAJOR"),
        ("@minor@", "CARGO_PKG_VERSION_MINOR"),
        ("@patch@", "CARGO_PKG_VERSION_PATCH"),
    ];
    values.iter().fold(line.to_owned(), |line, (mark, name)| {
        if line.contains(mark) { line.replace(mark, &variable(name)) } else { line }
    })
}

/// The declarations of a mark, without blank lines around them.
fn declarations(config: &Config, ffi: &Path, mark: &str) -> String {
    let (file, wanted) =
        mark.split_once(' ').map_or((mark, None), |(file, kind)| (file, Some(kind)));
    let kinds = KINDS.iter().filter(|(kind, _)| wanted.is_none_or(|wanted| wanted == *kind));
    let parts = kinds.map(|(kind, items)| {
        let mut config = config.clone();
        config.export.item_types = items.to_vec();
        config.style = match *kind {
            "enums" => Style::Tag,
            "functions" => Style::Type,
            _ => Style::Both,
        };
        if *kind == "enums" {
            config.export.rename.insert("queues_status_t".to_owned(), STATUS.to_owned());
        }
        let mut part = Vec::new();
        Builder::new()
            .with_config(config)
            .with_src(ffi.join(file))
            .generate()
            .unwrap()
            .write(&mut part);
        String::from_utf8(part).unwrap().trim().to_owned()
    });
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    assert!(!parts.is_empty(), "queues.h.in: no declarations for @{mark}@");
    parts.join("\n\n")
}
