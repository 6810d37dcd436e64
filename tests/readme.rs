//! The programs in README are the examples that the tests compile and run. They are equal to the
//! last character.

use std::path::Path;

#[test]
fn quick_starts_are_the_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).expect(name);
    let readme = read("README.md");
    for (language, file) in [
        ("c", "examples/c/quickstart.c"),
        ("cpp", "examples/cpp/quickstart.cpp"),
        ("go", "examples/go/quickstart/main.go"),
    ] {
        let block = format!("```{language}\n{}```\n", read(file));
        assert!(readme.contains(&block), "README.md's {language} block is not {file}");
    }
}
