//! Links ours as its users do, from where `make build` left it: the shared library into one program,
//! the static one into the other.

fn main() {
    let library = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/release");
    let library = std::env::var_os("LIBDIR").map_or(library, Into::into);
    let library = library.canonicalize().expect("run `make build` first");
    let dir = library.display();
    println!("cargo:rerun-if-env-changed=LIBDIR");
    println!("cargo:rerun-if-changed={dir}/libqueues.so");

    for arg in [&format!("-L{dir}"), "-lqueues", &format!("-Wl,-rpath,{dir}")] {
        println!("cargo:rustc-link-arg-bin=versus-rust={arg}");
    }
    let needs = std::fs::read_to_string(library.join("install/needs")).unwrap_or_default();
    println!("cargo:rustc-link-arg-bin=versus-static={dir}/install/libqueues.a");
    for arg in needs.split_whitespace() {
        println!("cargo:rustc-link-arg-bin=versus-static={arg}");
    }
}
