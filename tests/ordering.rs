//! docs/ordering.md lists every access of the sources that is stronger than Relaxed, with its
//! ordering. The list has no other entries.

use std::collections::BTreeMap;
use std::path::Path;

/// Site and ordering of every access in a source text.
fn sites(text: &str, found: &mut BTreeMap<String, String>) {
    let fences = ["fence(", ".light(", ".heavy(", "Fences::light("].map(|call| (call, true));
    for (call, fence) in fences.into_iter().chain([("site(", false)]) {
        for rest in text.split(call).skip(1) {
            let Some((name, rest)) =
                rest.trim_start().strip_prefix('"').and_then(|r| r.split_once('"'))
            else {
                continue;
            };
            let ordering = rest.trim_start_matches([',', ' ', '\n']);
            let paths = ["super::", "crate::sync::"];
            let named = paths.iter().find_map(|path| ordering.strip_prefix(path));
            let ordering = named.unwrap_or(ordering);
            let end = ordering.find(|c: char| !c.is_alphanumeric()).unwrap_or(ordering.len());
            let ordering = if fence { "SeqCst" } else { &ordering[..end] };
            found.insert(name.to_owned(), ordering.to_owned());
        }
    }
}

fn walk(directory: &Path, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            sites(&code.collect::<Vec<_>>().join("\n"), found);
        }
    }
}

#[test]
fn the_document_has_every_ordering() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeMap::new();
    walk(&root.join("src"), &mut found);
    found.retain(|_, ordering| ordering != "Relaxed");
    assert!(found.len() > 20, "few accesses were found in the sources: {found:?}");

    let text = std::fs::read_to_string(root.join("docs/ordering.md")).unwrap();
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        Some((cells.next()?.trim_end_matches('`').to_owned(), cells.next()?.to_owned()))
    });
    let listed: BTreeMap<String, String> = rows.collect();
    assert_eq!(found, listed, "left: the sources, right: docs/ordering.md");
}
