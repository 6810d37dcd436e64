//! Links the library as its users do: dynamically, from where `make build` left it; and builds what
//! stands for the rivals of C++, as far as they are installed.

fn main() {
    let library = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/release");
    let library = library.canonicalize().expect("run `make build` first");
    println!("cargo:rustc-link-search=native={}", library.display());
    println!("cargo:rustc-link-lib=dylib=queues");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", library.display());

    println!("cargo:rustc-check-cfg=cfg(tbb)");
    println!("cargo:rerun-if-changed=src/priority.cpp");
    let mut cpp = cc::Build::new();
    cpp.cpp(true).std("c++17").opt_level(3).file("src/priority.cpp");
    match cpp.try_compile("rivals") {
        Ok(()) => {
            println!("cargo:rustc-link-lib=dylib=tbb");
            println!("cargo:rustc-cfg=tbb");
        }
        Err(_) => println!(
            "cargo:warning=left out: oneTBB and std::priority_queue (libtbb-dev is missing)"
        ),
    }
}
