//! Links the library dynamically, as its users do, from the directory where `make build` puts it
//! (or LIBDIR).

fn main() {
    let library = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/release");
    let library = std::env::var_os("LIBDIR").map_or(library, Into::into);
    let library = library.canonicalize().expect("run `make build` first");
    println!("cargo:rerun-if-env-changed=LIBDIR");
    println!("cargo:rustc-link-search=native={}", library.display());
    println!("cargo:rustc-link-lib=dylib=queues");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", library.display());
}
